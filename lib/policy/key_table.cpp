#include "policy/key_table.hpp"

#include "policy/key_paths.hpp"

#include <array>

namespace keyturn {
namespace {

constexpr std::int64_t second = 1000;
constexpr std::int64_t minute = 60 * second;
constexpr std::int64_t hour = 60 * minute;
constexpr std::int64_t day = 24 * hour;

std::vector<std::string_view> stores() {
    return {"keyturn"};
}

using Kind = KeyKind;

constexpr std::array keys{
    KeySpec{.path = "version",
            .kind = Kind::integer,
            .required = true,
            .minimum = 1,
            .maximum = 1,
            .help = "Version of the policy's language; 1."},

    KeySpec{.path = "cloudflare",
            .required = true,
            .help = "Where and with what the Cloudflare API is asked."},
    KeySpec{.path = "cloudflare.credentials",
            .kind = Kind::named_sections,
            .required = true,
            .help = "API tokens by a name of your own; each says where the token is read from."},
    KeySpec{.path = "cloudflare.credentials.NAME.credential",
            .kind = Kind::credential_name,
            .target = &CredentialSource::credential,
            .help = "Name of a systemd credential (LoadCredential=) of keyturnd.service."},
    KeySpec{
        .path = "cloudflare.credentials.NAME.file",
        .kind = Kind::file_path,
        .target = &CredentialSource::file,
        .help = "Absolute path of a file with the API token, mode 0600; a reload reads it again."},
    KeySpec{.path = "cloudflare.api_url",
            .kind = Kind::https_url,
            .standard = "https://api.cloudflare.com/client/v4",
            .target = &CloudflarePolicy::api_url,
            .help = "Where the API is; only https."},
    KeySpec{.path = "cloudflare.ca_file",
            .kind = Kind::file_path,
            .target = &CloudflarePolicy::ca_file,
            .help = "PEM file of certificate authorities; absent: the system's."},

    KeySpec{.path = "defaults", .help = "What holds for every tunnel that says nothing else."},
    KeySpec{.path = "tunnels",
            .kind = Kind::named_sections,
            .required = true,
            .help = "The tunnels by a name of your own."},
    KeySpec{.path = "tunnels.NAME.account",
            .kind = Kind::account_id,
            .required = true,
            .in_defaults = true,
            .target = &TunnelPolicy::account,
            .help = "Id of the Cloudflare account that owns the tunnel."},
    KeySpec{.path = "tunnels.NAME.tunnel",
            .kind = Kind::tunnel_id,
            .required = true,
            .target = &TunnelPolicy::tunnel,
            .help = "Id (UUID) of the tunnel."},
    KeySpec{.path = "tunnels.NAME.credential",
            .kind = Kind::reference,
            .required = true,
            .in_defaults = true,
            .target = &TunnelPolicy::credential,
            .help = "Which entry of cloudflare.credentials may rotate this tunnel."},
    KeySpec{.path = "tunnels.NAME.units",
            .kind = Kind::unit_patterns,
            .required = true,
            .target = &TunnelPolicy::units,
            .help = "The cloudflared services, by name or glob, in the order of their restart."},
    KeySpec{.path = "tunnels.NAME.token",
            .in_defaults = true,
            .help = "Where the tunnel's token is delivered to."},
    KeySpec{.path = "tunnels.NAME.token.store",
            .kind = Kind::word,
            .in_defaults = true,
            .standard = "keyturn",
            .choices = stores,
            .help = "keyturn: a file under /var/lib/keyturn/tokens that the units load."},

    KeySpec{.path = "tunnels.NAME.timezone",
            .kind = Kind::time_zone,
            .in_defaults = true,
            .standard = "UTC",
            .target = &Schedule::zone,
            .help = "Zone of calendars, windows and freezes: UTC, an IANA name, or local."},
    KeySpec{.path = "tunnels.NAME.rotate", .in_defaults = true, .help = "When a token is due."},
    KeySpec{.path = "tunnels.NAME.rotate.every",
            .kind = Kind::duration,
            .in_defaults = true,
            .maximum = 3650 * day,
            .usual_minimum = hour,
            .target = &Schedule::every,
            .help = "Age at which the token is rotated; absent or 0: not by its age."},
    KeySpec{.path = "tunnels.NAME.rotate.calendar",
            .kind = Kind::calendar,
            .in_defaults = true,
            .target = &Schedule::calendars,
            .help = "Instead of every: when the token is rotated, as in systemd's OnCalendar=."},
    KeySpec{.path = "tunnels.NAME.rotate.cron",
            .kind = Kind::cron,
            .in_defaults = true,
            .target = &Schedule::calendars,
            .help = "Instead of every: the same as the five fields of crontab(5)."},
    KeySpec{.path = "tunnels.NAME.rotate.max_age",
            .kind = Kind::duration,
            .in_defaults = true,
            .maximum = 3650 * day,
            .usual_minimum = hour,
            .target = &Schedule::max_age,
            .help = "At this age the token is rotated outside of windows, too; 0: never."},
    KeySpec{.path = "tunnels.NAME.rotate.splay",
            .kind = Kind::duration,
            .in_defaults = true,
            .standard = "30m",
            .maximum = 7 * day,
            .target = &Schedule::splay,
            .help = "Tunnels start spread over this, each always at its own place."},
    KeySpec{.path = "tunnels.NAME.rotate.min_interval",
            .kind = Kind::duration,
            .in_defaults = true,
            .standard = "24h",
            .maximum = 365 * day,
            .usual_minimum = 10 * minute,
            .target = &Schedule::min_interval,
            .help = "Never two rotations of a tunnel within this."},

    KeySpec{.path = "tunnels.NAME.windows",
            .kind = Kind::section_list,
            .in_defaults = true,
            .maximum = windows_max,
            .help = "When a scheduled rotation may begin, and should end; none: at any time."},
    KeySpec{.path = "tunnels.NAME.windows.start",
            .kind = Kind::calendar,
            .required = true,
            .in_defaults = true,
            .target = &Window::start,
            .help = "When the window opens, as in systemd's OnCalendar=."},
    KeySpec{.path = "tunnels.NAME.windows.length",
            .kind = Kind::duration,
            .required = true,
            .in_defaults = true,
            .minimum = 1,
            .maximum = 31 * day,
            .usual_minimum = 10 * minute,
            .target = &Window::length,
            .help = "How long it stays open."},
    KeySpec{.path = "tunnels.NAME.freeze",
            .kind = Kind::section_list,
            .in_defaults = true,
            .maximum = freezes_max,
            .help = "When no scheduled rotation begins, whatever else says it should."},
    KeySpec{.path = "tunnels.NAME.freeze.from",
            .kind = Kind::freeze_begin,
            .required = true,
            .in_defaults = true,
            .target = &Freeze::from,
            .help = "The date, or the date and time, with which it begins."},
    KeySpec{.path = "tunnels.NAME.freeze.to",
            .kind = Kind::freeze_end,
            .required = true,
            .in_defaults = true,
            .target = &Freeze::to,
            .help = "Its last day, or the date and time at which it ends."},
    KeySpec{.path = "tunnels.NAME.freeze.why",
            .kind = Kind::remark,
            .in_defaults = true,
            .target = &Freeze::why,
            .help = "The reason, for status and journal."},

    KeySpec{.path = "tunnels.NAME.rollout",
            .in_defaults = true,
            .help = "How the units are restarted."},
    KeySpec{.path = "tunnels.NAME.rollout.batches",
            .kind = Kind::integer,
            .in_defaults = true,
            .standard = "2",
            .minimum = 1,
            .maximum = 64,
            .target = &RolloutPolicy::batches,
            .help = "In how many steps the units are restarted, smaller ones first."},
    KeySpec{.path = "tunnels.NAME.rollout.canary",
            .kind = Kind::boolean,
            .in_defaults = true,
            .standard = "false",
            .target = &RolloutPolicy::canary,
            .help = "true: the first step is one unit."},
    KeySpec{.path = "tunnels.NAME.rollout.settle",
            .kind = Kind::duration,
            .in_defaults = true,
            .standard = "5s",
            .maximum = hour,
            .usual_minimum = second,
            .target = &RolloutPolicy::settle,
            .help = "Wait between the change at Cloudflare and the first restart."},
    KeySpec{.path = "tunnels.NAME.rollout.soak",
            .kind = Kind::soak,
            .in_defaults = true,
            .standard = "10m",
            .maximum = 7 * day,
            .usual_minimum = 10 * second,
            .target = &RolloutPolicy::soak,
            .help = "How long a step is watched before the next one begins."},
    KeySpec{.path = "tunnels.NAME.rollout.soak.min",
            .kind = Kind::duration,
            .required = true,
            .in_defaults = true,
            .maximum = 7 * day,
            .usual_minimum = 10 * second,
            .target = &RolloutPolicy::soak_min,
            .help = "From here on it ends as soon as all restarted units are back in full."},
    KeySpec{.path = "tunnels.NAME.rollout.soak.max",
            .kind = Kind::duration,
            .required = true,
            .in_defaults = true,
            .maximum = 7 * day,
            .usual_minimum = 10 * second,
            .target = &RolloutPolicy::soak,
            .help = "When it ends in any case."},
    KeySpec{.path = "tunnels.NAME.rollout.min_available",
            .kind = Kind::integer,
            .in_defaults = true,
            .standard = "1",
            .minimum = 1,
            .maximum = 255,
            .target = &RolloutPolicy::min_available,
            .help = "So many other units have to be serving when one is restarted."},
    KeySpec{.path = "tunnels.NAME.rollout.min_healthy_time",
            .kind = Kind::duration,
            .in_defaults = true,
            .standard = "10s",
            .maximum = hour,
            .usual_minimum = 5 * second,
            .target = &RolloutPolicy::min_healthy_time,
            .help = "A restarted unit has to stay up for so long."},
    KeySpec{.path = "tunnels.NAME.rollout.healthy_deadline",
            .kind = Kind::duration,
            .in_defaults = true,
            .standard = "2m",
            .minimum = 1,
            .maximum = day,
            .usual_minimum = 30 * second,
            .target = &RolloutPolicy::healthy_deadline,
            .help = "A restarted unit has to be connected within this, or within its own stop and "
                    "start timeouts together if those are longer."},
    KeySpec{.path = "tunnels.NAME.rollout.progress_deadline",
            .kind = Kind::duration,
            .in_defaults = true,
            .standard = "2h",
            .minimum = 1,
            .maximum = 30 * day,
            .usual_minimum = minute,
            .target = &RolloutPolicy::progress_deadline,
            .help = "How long a restart may wait for enough others to serve; then it is held."},
    KeySpec{.path = "tunnels.NAME.rollout.surge",
            .kind = Kind::word,
            .in_defaults = true,
            .standard = "auto",
            .choices = words_of<SurgeUse>,
            .target = &RolloutPolicy::surge,
            .help = "auto: where too few others serve, keyturn-surge@TUNNEL helps out meanwhile."},
    KeySpec{.path = "tunnels.NAME.rollout.accept_gap",
            .kind = Kind::boolean,
            .in_defaults = true,
            .standard = "false",
            .target = &RolloutPolicy::accept_gap,
            .help = "true: the tunnel may be down while a unit of it restarts."},
    KeySpec{.path = "tunnels.NAME.rollout.on_failure",
            .kind = Kind::word,
            .in_defaults = true,
            .standard = "hold",
            .choices = words_of<OnFailure>,
            .target = &RolloutPolicy::on_failure,
            .help = "When a unit does not come back: hold, or revert to the old token by itself."},

    KeySpec{.path = "tunnels.NAME.drift",
            .in_defaults = true,
            .help = "When somebody else has changed the tunnel's secret."},
    KeySpec{.path = "tunnels.NAME.drift.interval",
            .kind = Kind::duration,
            .in_defaults = true,
            .standard = "15m",
            .minimum = 1,
            .maximum = 7 * day,
            .usual_minimum = minute,
            .target = &DriftPolicy::interval,
            .help = "How often Cloudflare is asked whether the token is still the delivered one."},
    KeySpec{.path = "tunnels.NAME.drift.restart",
            .kind = Kind::word,
            .in_defaults = true,
            .standard = "window",
            .choices = words_of<DriftRestart>,
            .target = &DriftPolicy::restart,
            .help = "When the units are restarted on it: in a window, now, or never."},
};

}  // namespace

std::string_view KeySpec::name() const {
    const auto dot = path.rfind('.');
    return dot == std::string_view::npos ? path : path.substr(dot + 1);
}

std::string_view KeySpec::parent() const {
    const auto dot = path.rfind('.');
    return dot == std::string_view::npos ? std::string_view{} : path.substr(0, dot);
}

std::span<const KeySpec> key_table() {
    return keys;
}

std::vector<const KeySpec*> keys_in(KeyScope scope) {
    std::vector<const KeySpec*> found;
    for (const KeySpec& spec : keys) {
        if (spec.parent() != scope.path) continue;
        if (scope.in_defaults && !spec.in_defaults) continue;
        found.push_back(&spec);
    }
    return found;
}

KeyScope scope_inside(const KeySpec& spec, KeyScope scope) {
    if (spec.path == "defaults") return {tunnel_path, true};
    if (spec.path == "tunnels") return {tunnel_path, false};
    if (spec.path == "cloudflare.credentials") return {"cloudflare.credentials.NAME", false};
    return {spec.path, scope.in_defaults};
}

std::string_view description_of(KeyKind kind) {
    switch (kind) {
        case KeyKind::section: return "keys of its own, on lines below it";
        case KeyKind::named_sections: return "names of your own, each with keys below it";
        case KeyKind::integer: return "a whole number";
        case KeyKind::boolean: return "`true` or `false`";
        case KeyKind::duration: return "a duration such as `10m`";
        case KeyKind::soak: return "a duration such as `10m`, or `{min: 30s, max: 10m}`";
        case KeyKind::word: return "one word";
        case KeyKind::account_id: return "an account id (32 hex digits)";
        case KeyKind::tunnel_id: return "a tunnel id (UUID)";
        case KeyKind::credential_name: return "the name of a systemd credential";
        case KeyKind::reference: return "a name from `cloudflare.credentials`";
        case KeyKind::file_path: return "an absolute path";
        case KeyKind::https_url: return "an https URL";
        case KeyKind::section_list: return "a list, with a `-` before each entry";
        case KeyKind::unit_patterns: return "a list of unit names, such as `[web@1.service]`";
        case KeyKind::time_zone: return "a time zone such as `Europe/Berlin`";
        case KeyKind::calendar: return "a calendar event such as `Sat,Sun 02:00`";
        case KeyKind::cron: return "a cron expression such as `30 3 * * sat`";
        case KeyKind::freeze_begin: return "a date such as `2026-12-20`";
        case KeyKind::freeze_end: return "a date such as `2027-01-04`";
        case KeyKind::remark: return "a few words";
    }
    return "a value";
}

}  // namespace keyturn
