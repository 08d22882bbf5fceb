#include "policy/key_table.hpp"

#include "policy/coordinator_keys.hpp"
#include "policy/key_paths.hpp"

#include <algorithm>
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

constexpr std::array keys_of_one_host{
    KeySpec{.path = "version",
            .kind = Kind::integer,
            .required = true,
            .minimum = 1,
            .maximum = 1,
            .help = "Version of the policy format: 1."},

    KeySpec{.path = "cloudflare", .help = "How keyturnd reaches the Cloudflare API."},
    KeySpec{
        .path = "cloudflare.credentials",
        .kind = Kind::named_sections,
        .help = "API tokens, each under a name of your choice, and where keyturnd reads each one."},
    KeySpec{.path = "cloudflare.credentials.NAME.credential",
            .kind = Kind::credential_name,
            .target = &CredentialSource::credential,
            .help = "Name of a systemd credential (LoadCredential=) of keyturnd.service."},
    KeySpec{
        .path = "cloudflare.credentials.NAME.file",
        .kind = Kind::file_path,
        .target = &CredentialSource::file,
        .help = "Absolute path of a file with the API token, mode 0600. Each call reads it again."},
    KeySpec{.path = "cloudflare.api_url",
            .kind = Kind::https_url,
            .default_value = "https://api.cloudflare.com/client/v4",
            .target = &CloudflarePolicy::api_url,
            .help = "URL of the API. Only https is allowed."},
    KeySpec{.path = "cloudflare.ca_file",
            .kind = Kind::file_path,
            .target = &CloudflarePolicy::ca_file,
            .help = "PEM file of certificate authorities. Default: those of the system."},
    KeySpec{.path = "cloudflare.proxy",
            .help = "HTTP proxy on the way to the API. Default: HTTPS_PROXY and NO_PROXY in the "
                    "environment."},
    KeySpec{.path = "cloudflare.proxy.url",
            .kind = Kind::proxy_url,
            .required = true,
            .target = &ProxyPolicy::url,
            .help = "URL of the proxy, http://HOST:PORT, without a user."},
    KeySpec{.path = "cloudflare.proxy.credential",
            .kind = Kind::credential_name,
            .target = &CredentialSource::credential,
            .help = "Name of a systemd credential of keyturnd.service with USER:PASSWORD for the "
                    "proxy."},
    KeySpec{.path = "cloudflare.proxy.file",
            .kind = Kind::file_path,
            .target = &CredentialSource::file,
            .help = "Absolute path of a file with USER:PASSWORD, mode 0600. A reload reads it "
                    "again."},
    KeySpec{.path = "cloudflare.proxy.no_proxy",
            .kind = Kind::host_patterns,
            .target = &ProxyPolicy::no_proxy,
            .help = "Hosts that keyturnd reaches without the proxy: names, .domains, addresses, "
                    "networks, or *."},

    KeySpec{.path = "defaults",
            .help = "Keys for all tunnels. A tunnel can override each of them."},
    KeySpec{.path = "tunnels",
            .kind = Kind::named_sections,
            .required = true,
            .help = "The tunnels, each under a name of your choice."},
    KeySpec{.path = "tunnels.NAME.account",
            .kind = Kind::account_id,
            .required = true,
            .target = &TunnelPolicy::account,
            .help = "Id of the Cloudflare account that owns the tunnel."},
    KeySpec{.path = "tunnels.NAME.tunnel",
            .kind = Kind::tunnel_id,
            .required = true,
            .own = true,
            .target = &TunnelPolicy::tunnel,
            .help = "Id (UUID) of the tunnel."},
    KeySpec{.path = "tunnels.NAME.credential",
            .kind = Kind::reference,
            .target = &TunnelPolicy::credential,
            .help = "Entry of cloudflare.credentials to use for this tunnel."},
    KeySpec{.path = "tunnels.NAME.units",
            .kind = Kind::unit_patterns,
            .required = true,
            .own = true,
            .target = &TunnelPolicy::units,
            .help = "The cloudflared units, by name or glob, in the order in which keyturnd "
                    "restarts them."},
    KeySpec{.path = "tunnels.NAME.metrics_address",
            .kind = Kind::unit_addresses,
            .own = true,
            .target = &TunnelPolicy::metrics_addresses,
            .help = "Where keyturnd asks units that have their own network, such as containers: a "
                    "unit name and an address of this host for each."},
    KeySpec{.path = "tunnels.NAME.token", .help = "Where keyturnd writes the token of the tunnel."},
    KeySpec{.path = "tunnels.NAME.token.store",
            .kind = Kind::word,
            .default_value = "keyturn",
            .choices = stores,
            .help = "keyturn: a file in /var/lib/keyturn/tokens that the units load."},

    KeySpec{.path = "tunnels.NAME.timezone",
            .kind = Kind::time_zone,
            .default_value = "UTC",
            .target = &Schedule::zone,
            .help = "Time zone of calendars, windows and freezes: UTC, an IANA name, or local."},
    KeySpec{.path = "tunnels.NAME.rotate", .help = "When keyturnd rotates the token."},
    KeySpec{.path = "tunnels.NAME.rotate.every",
            .kind = Kind::duration,
            .maximum = 3650 * day,
            .usual_minimum = hour,
            .target = &Schedule::every,
            .help = "Age at which keyturnd rotates the token. Default: 0, which means not by age."},
    KeySpec{
        .path = "tunnels.NAME.rotate.calendar",
        .kind = Kind::calendar,
        .target = &Schedule::calendars,
        .help =
            "Instead of every: when to rotate the token, in the format of systemd's OnCalendar=."},
    KeySpec{
        .path = "tunnels.NAME.rotate.cron",
        .kind = Kind::cron,
        .target = &Schedule::calendars,
        .help = "Instead of every: when to rotate the token, as the five fields of crontab(5)."},
    KeySpec{.path = "tunnels.NAME.rotate.max_age",
            .kind = Kind::duration,
            .maximum = 3650 * day,
            .usual_minimum = hour,
            .target = &Schedule::max_age,
            .help = "At this age keyturnd rotates the token even outside of windows. 0: never."},
    KeySpec{
        .path = "tunnels.NAME.rotate.splay",
        .kind = Kind::duration,
        .default_value = "30m",
        .maximum = 7 * day,
        .target = &Schedule::splay,
        .help =
            "Spreads the starts of tunnels over this duration. Each tunnel keeps its place in it."},
    KeySpec{.path = "tunnels.NAME.rotate.min_interval",
            .kind = Kind::duration,
            .default_value = "24h",
            .maximum = 365 * day,
            .usual_minimum = 10 * minute,
            .target = &Schedule::min_interval,
            .help = "Minimum time between two rotations of a tunnel."},

    KeySpec{.path = "tunnels.NAME.windows",
            .kind = Kind::section_list,
            .maximum = windows_max,
            .help = "When a scheduled rotation may begin. It is expected to end in the window, "
                    "too. Default: any time."},
    KeySpec{.path = "tunnels.NAME.windows.start",
            .kind = Kind::calendar,
            .required = true,
            .target = &Window::start,
            .help = "When the window opens, in the format of systemd's OnCalendar=."},
    KeySpec{.path = "tunnels.NAME.windows.length",
            .kind = Kind::duration,
            .required = true,
            .minimum = 1,
            .maximum = 31 * day,
            .usual_minimum = 10 * minute,
            .target = &Window::length,
            .help = "How long the window stays open."},
    KeySpec{.path = "tunnels.NAME.freeze",
            .kind = Kind::section_list,
            .maximum = freezes_max,
            .help = "When no scheduled rotation begins, not even in a window or at max_age."},
    KeySpec{.path = "tunnels.NAME.freeze.from",
            .kind = Kind::freeze_begin,
            .required = true,
            .target = &Freeze::from,
            .help = "Date, or date and time, at which the freeze begins."},
    KeySpec{.path = "tunnels.NAME.freeze.to",
            .kind = Kind::freeze_end,
            .required = true,
            .target = &Freeze::to,
            .help = "Last day of the freeze, or the date and time at which it ends."},
    KeySpec{.path = "tunnels.NAME.freeze.why",
            .kind = Kind::remark,
            .target = &Freeze::why,
            .help = "Reason, which status and journal show."},

    KeySpec{.path = "tunnels.NAME.rollout", .help = "How keyturnd restarts the units."},
    KeySpec{.path = "tunnels.NAME.rollout.batches",
            .kind = Kind::integer,
            .default_value = "2",
            .minimum = 1,
            .maximum = 64,
            .target = &RolloutPolicy::batches,
            .help = "Number of batches in which keyturnd restarts the units, smaller ones first."},
    KeySpec{.path = "tunnels.NAME.rollout.canary",
            .kind = Kind::boolean,
            .default_value = "false",
            .target = &RolloutPolicy::canary,
            .help = "true: the first batch is one unit."},
    KeySpec{.path = "tunnels.NAME.rollout.settle",
            .kind = Kind::duration,
            .default_value = "5s",
            .maximum = hour,
            .usual_minimum = second,
            .target = &RolloutPolicy::settle,
            .help = "Pause between the change at Cloudflare and the first restart."},
    KeySpec{
        .path = "tunnels.NAME.rollout.soak",
        .kind = Kind::soak,
        .default_value = "10m",
        .maximum = 7 * day,
        .usual_minimum = 10 * second,
        .target = &RolloutPolicy::soak,
        .help = "How long keyturnd watches all units after a batch before the next one begins."},
    KeySpec{.path = "tunnels.NAME.rollout.soak.min",
            .kind = Kind::duration,
            .required = true,
            .maximum = 7 * day,
            .usual_minimum = 10 * second,
            .target = &RolloutPolicy::soak_min,
            .help = "After this time the soak ends as soon as all restarted units have all "
                    "connections again."},
    KeySpec{.path = "tunnels.NAME.rollout.soak.max",
            .kind = Kind::duration,
            .required = true,
            .maximum = 7 * day,
            .usual_minimum = 10 * second,
            .target = &RolloutPolicy::soak,
            .help = "At this time the soak ends in any case."},
    KeySpec{.path = "tunnels.NAME.rollout.min_available",
            .kind = Kind::integer,
            .default_value = "1",
            .minimum = 1,
            .maximum = 255,
            .target = &RolloutPolicy::min_available,
            .help = "Minimum number of other units that serve while keyturnd restarts one."},
    KeySpec{.path = "tunnels.NAME.rollout.min_healthy_time",
            .kind = Kind::duration,
            .default_value = "10s",
            .maximum = hour,
            .usual_minimum = 5 * second,
            .target = &RolloutPolicy::min_healthy_time,
            .help = "How long a restarted unit has to stay healthy."},
    KeySpec{.path = "tunnels.NAME.rollout.healthy_deadline",
            .kind = Kind::duration,
            .default_value = "2m",
            .minimum = 1,
            .maximum = day,
            .usual_minimum = 30 * second,
            .target = &RolloutPolicy::healthy_deadline,
            .help = "By when a restarted unit has to be healthy. If the stop and start timeouts of "
                    "the unit are longer together, their sum counts."},
    KeySpec{.path = "tunnels.NAME.rollout.progress_deadline",
            .kind = Kind::duration,
            .default_value = "2h",
            .minimum = 1,
            .maximum = 30 * day,
            .usual_minimum = minute,
            .target = &RolloutPolicy::progress_deadline,
            .help = "How long a restart may wait until enough other units serve. Then the rotation "
                    "is held."},
    KeySpec{
        .path = "tunnels.NAME.rollout.surge",
        .kind = Kind::word,
        .default_value = "auto",
        .choices = words_of<SurgeUse>,
        .target = &RolloutPolicy::surge,
        .help =
            "auto: if too few other units serve, keyturn-surge@TUNNEL serves during the restarts."},
    KeySpec{.path = "tunnels.NAME.rollout.accept_gap",
            .kind = Kind::boolean,
            .default_value = "false",
            .target = &RolloutPolicy::accept_gap,
            .help = "true: the tunnel may be down while one of its units restarts."},
    KeySpec{.path = "tunnels.NAME.rollout.on_failure",
            .kind = Kind::word,
            .default_value = "hold",
            .choices = words_of<OnFailure>,
            .target = &RolloutPolicy::on_failure,
            .help = "If a unit does not come back: hold the rotation, or revert to the old token."},

    KeySpec{.path = "tunnels.NAME.drift",
            .help = "What to do when somebody else has changed the tunnel's secret."},
    KeySpec{
        .path = "tunnels.NAME.drift.interval",
        .kind = Kind::duration,
        .default_value = "15m",
        .minimum = 1,
        .maximum = 7 * day,
        .usual_minimum = minute,
        .target = &DriftPolicy::interval,
        .help =
            "How often keyturnd asks Cloudflare whether the token is still the one it delivered."},
    KeySpec{.path = "tunnels.NAME.drift.restart",
            .kind = Kind::word,
            .default_value = "window",
            .choices = words_of<DriftRestart>,
            .target = &DriftPolicy::restart,
            .help = "When to restart the units after such a change: in a window, now, or never."},
};

constexpr auto keys = [] {
    std::array<KeySpec, keys_of_one_host.size() + coordinator_keys.size()> all;
    const auto rest = std::ranges::copy(keys_of_one_host, all.begin()).out;
    std::ranges::copy(coordinator_keys, rest);
    return all;
}();

}  // namespace

std::string_view KeySpec::name() const {
    return last_name(path);
}

std::string_view KeySpec::parent() const {
    const auto dot = path.rfind('.');
    return dot == std::string_view::npos ? std::string_view{} : path.substr(0, dot);
}

bool KeySpec::in_defaults() const {
    return path.starts_with(tunnel_path) && !own;
}

std::span<const KeySpec> key_table() {
    return keys;
}

std::vector<const KeySpec*> keys_in(KeyScope scope) {
    std::vector<const KeySpec*> found;
    for (const KeySpec& spec : keys) {
        if (spec.parent() != scope.path) continue;
        if (scope.in_defaults && spec.own) continue;
        found.push_back(&spec);
    }
    return found;
}

KeyScope scope_inside(const KeySpec& spec, KeyScope scope) {
    if (spec.path == "defaults") return {tunnel_path, true};
    if (spec.path == "tunnels") return {tunnel_path, false};
    if (spec.path == credentials_path) return {"cloudflare.credentials.NAME", false};
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
        case KeyKind::proxy_url: return "a URL such as `http://proxy.example.com:3128`";
        case KeyKind::secret_source: return "`{credential: NAME}` or `{file: /PATH}`";
        case KeyKind::store_url: return "an https URL";
        case KeyKind::store_urls: return "a list of https URLs";
        case KeyKind::bucket_name: return "the name of a bucket";
        case KeyKind::region: return "a region such as `auto` or `eu-central-1`";
        case KeyKind::key_prefix: return "a word such as `keyturn`";
        case KeyKind::user_name: return "the name of a user";
        case KeyKind::host_name: return "the name of a host";
        case KeyKind::ip_address: return "an address such as `203.0.113.7`";
        case KeyKind::feature_tag: return "a tag such as `keyturn-web1`";
        case KeyKind::host_patterns: return "a list of hosts, such as `[.example.com]`";
        case KeyKind::section_list: return "a list, with a `-` before each entry";
        case KeyKind::unit_patterns: return "a list of unit names, such as `[web@1.service]`";
        case KeyKind::unit_addresses:
            return "unit names with an address for each, such as `web@1.service: 127.0.0.1:20241`";
        case KeyKind::time_zone: return "a time zone such as `Europe/Berlin`";
        case KeyKind::calendar: return "a calendar event such as `Sat,Sun 02:00`";
        case KeyKind::cron: return "a cron expression such as `30 3 * * sat`";
        case KeyKind::freeze_begin: return "a date such as `2026-12-20`";
        case KeyKind::freeze_end: return "a date such as `2027-01-04`";
        case KeyKind::remark: return "a short text";
    }
    return "a value";
}

}  // namespace keyturn
