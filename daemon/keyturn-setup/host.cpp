#include "host.hpp"

#include "base/invariant.hpp"
#include "base/no_proxy.hpp"
#include "cloudflared/attestation.hpp"
#include "model/installed_names.hpp"
#include "setup/host_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <fnmatch.h>

namespace keyturn {

namespace {

constexpr const char* policy_path = "/etc/keyturn/keyturn.yaml";
constexpr const char* drop_in_directory = "/etc/keyturn/keyturn.d";
/// No name of a tunnel has a dot.
constexpr const char* proxy_drop_in_path = "/etc/keyturn/keyturn.d/cloudflare.proxy.yaml";
constexpr const char* rule_path = "/etc/polkit-1/rules.d/50-keyturn.rules";
constexpr const char* unit_directory = "/etc/systemd/system";
/// How the rule begins if setup has written it.
constexpr std::string_view written_by_us = "// Written by keyturnctl";

Result<std::optional<std::string>> text_of(const std::string& path) {
    auto file = read_host_file(path);
    if (!file) return file.error();
    if (!*file) return std::optional<std::string>{};
    return std::optional<std::string>(std::string((*file)->text.reveal()));
}

std::vector<std::string> drop_in_paths() {
    std::vector<std::string> paths;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(drop_in_directory, error)) {
        const std::string name = entry.path().filename();
        if (name.ends_with(".yaml") && !name.starts_with('.')) paths.push_back(entry.path());
    }
    std::ranges::sort(paths);
    return paths;
}

Result<Policy> checked(const std::vector<PolicySource>& sources) {
    PolicyOutcome outcome = parse_policy(sources);
    if (auto* problems = std::get_if<std::vector<PolicyProblem>>(&outcome)) {
        std::vector<std::string> texts;
        for (const PolicyProblem& problem : *problems) texts.push_back(to_text(problem));
        return Error{
            Fault::invalid, fmt::format("the policy is invalid:\n{}", fmt::join(texts, "\n")), {}};
    }
    return std::get<Policy>(std::move(outcome));
}

/// The proxy in the words of the policy. Its login is in a file.
std::string proxy_drop_in(const HttpProxy& proxy) {
    std::string text = fmt::format(
        "# Written by keyturnctl setup, from HTTPS_PROXY and NO_PROXY. See keyturn.yaml(5).\n"
        "cloudflare:\n"
        "  proxy:\n"
        "    url: \"http://{}:{}\"\n",
        proxy.origin.host.find(':') == std::string::npos ? proxy.origin.host
                                                         : '[' + proxy.origin.host + ']',
        proxy.origin.port);
    if (!proxy.login.empty()) text += "    credential: cloudflare-proxy\n";
    std::vector<std::string> hosts;
    for (const std::string& host : proxy.no_proxy)
        if (check_no_proxy(host)) hosts.push_back('"' + host + '"');
    if (!hosts.empty()) text += fmt::format("    no_proxy: [{}]\n", fmt::join(hosts, ", "));
    return text;
}

/// True if the policy is valid but for its tunnels, which a run that was interrupted has not added
/// yet, or which all have left.
bool lacks_only_tunnels(std::vector<PolicySource> sources) {
    const NewTunnel any{"any",
                        std::string(32, '0'),
                        "00000000-0000-0000-0000-000000000000",
                        "main",
                        {"any.service"}};
    sources.push_back({tunnel_drop_in_path(any.name), tunnel_drop_in(any)});
    return checked(sources).has_value();
}

}  // namespace

Result<HostPolicy> HostPolicy::read() {
    HostPolicy host;
    auto text = text_of(policy_path);
    if (!text) return text.error();
    host.exists_ = text->has_value();
    host.sources_.push_back({policy_path, host.exists_ ? **text : first_policy()});
    if (!host.exists_) host.added_.emplace_back(policy_path);
    for (const std::string& path : drop_in_paths()) {
        auto drop_in = text_of(path);
        if (!drop_in) return drop_in.error();
        if (*drop_in) host.sources_.push_back({path, std::move(**drop_in)});
    }
    // The first policy is not valid before it has a tunnel.
    if (!host.exists_) return host;
    auto checked = host.check();
    if (!checked && !lacks_only_tunnels(host.sources_)) return checked.error();
    return host;
}

Result<void> HostPolicy::check() {
    auto policy = checked(sources_);
    if (!policy) return policy.error();
    policy_ = std::move(*policy);
    return {};
}

Result<CloudflarePolicy> HostPolicy::cloudflare(const NewTunnel& tunnel) const {
    if (!policy_.tunnels.empty()) return policy_.cloudflare;
    std::vector<PolicySource> sources = sources_;
    sources.push_back({tunnel_drop_in_path(tunnel.name), tunnel_drop_in(tunnel)});
    auto policy = checked(sources);
    if (!policy) return policy.error();
    return policy->cloudflare;
}

void HostPolicy::put(const std::string& path, std::string text) {
    auto place = std::ranges::find(sources_, path, &PolicySource::file);
    if (place == sources_.end()) {
        // In the order of the names, as keyturnd reads them.
        place = std::ranges::upper_bound(sources_.begin() + 1, sources_.end(), path, {},
                                         &PolicySource::file);
        place = sources_.insert(place, PolicySource{path, {}});
    }
    place->text = std::move(text);
    added_.push_back(path);
}

Result<void> HostPolicy::add(const NewTunnel& tunnel) {
    put(tunnel_drop_in_path(tunnel.name), tunnel_drop_in(tunnel));
    return check();
}

Result<void> HostPolicy::add(const HttpProxy& proxy) {
    put(proxy_drop_in_path, proxy_drop_in(proxy));
    // Without a tunnel, the policy is not valid yet.
    return policy_.tunnels.empty() ? Result<void>() : check();
}

const TunnelPolicy* HostPolicy::find(const std::string& tunnel) const {
    const auto found = std::ranges::find(policy_.tunnels, tunnel, &TunnelPolicy::tunnel);
    return found == policy_.tunnels.end() ? nullptr : &*found;
}

const TunnelPolicy* HostPolicy::find_named(const std::string& name) const {
    const auto found = std::ranges::find(policy_.tunnels, name, &TunnelPolicy::name);
    return found == policy_.tunnels.end() ? nullptr : &*found;
}

std::vector<FileChange> HostPolicy::changes() const {
    std::vector<FileChange> changes;
    for (const PolicySource& source : sources_) {
        if (std::ranges::find(added_, source.file) != added_.end())
            changes.push_back({source.file, source.text});
    }
    changes.push_back(rule());
    return changes;
}

FileChange HostPolicy::rule() const {
    std::vector<std::string> units;
    for (const TunnelPolicy& tunnel : policy_.tunnels)
        units.insert(units.end(), tunnel.units.begin(), tunnel.units.end());
    return {rule_path, polkit_rule(units)};
}

Result<HostPolicy::Removal> HostPolicy::remove(const std::string& tunnel,
                                               const std::vector<std::string>& units) {
    const TunnelPolicy* const known = find_named(tunnel);
    invariant(known != nullptr, "the tunnel is one of the policy");
    Removal removal;
    NewTunnel left{known->name, known->account, known->tunnel, known->credential, {}};
    for (const std::string& unit : known->units)
        if (std::ranges::find(units, unit) == units.end()) left.units.push_back(unit);
    const auto source =
        std::ranges::find(sources_, tunnel_drop_in_path(tunnel), &PolicySource::file);
    const bool is_ours = source != sources_.end() &&
                         source->text == tunnel_drop_in({known->name, known->account, known->tunnel,
                                                         known->credential, known->units});
    if (!is_ours) {
        removal.by_hand = fmt::format(
            "Take {} out of `units:` of tunnel {} in the policy, and run "
            "systemctl reload keyturnd",
            fmt::join(units, ", "), tunnel);
        return removal;
    }
    if (!left.units.empty()) {
        source->text = tunnel_drop_in(left);
        removal.changed.push_back({source->file, source->text});
    } else {
        removal.removed.push_back(source->file);
        sources_.erase(source);
        if (policy_.tunnels.size() == 1) {
            policy_.tunnels.clear();
            return removal;
        }
    }
    if (auto valid = check(); !valid) return valid.error();
    return removal;
}

Result<HostPolicy::Removal> HostPolicy::unused() const {
    Removal removal;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(unit_directory, error)) {
        const std::string name = entry.path().filename();
        const bool needed = std::ranges::any_of(policy_.tunnels, [&](const TunnelPolicy& tunnel) {
            return surge_unit_of(tunnel.name) == name;
        });
        if (needed || !is_surge_unit(name) || !name.ends_with(".service")) continue;
        const std::string attested = attestation_path(name);
        if (std::filesystem::exists(attested, error)) removal.removed.push_back(attested);
        removal.removed.push_back(entry.path());
    }
    auto text = text_of(rule_path);
    if (!text) return text.error();
    // One that a person has written stays as it is.
    if (!*text || !(*text)->starts_with(written_by_us)) return removal;
    if (policy_.tunnels.empty()) {
        removal.removed.emplace_back(rule_path);
    } else {
        removal.changed.push_back(rule());
    }
    return removal;
}

bool is_new(const FileChange& change) {
    const auto before = read_host_file(change.path);
    return !before || !*before || (*before)->text.reveal() != change.text;
}

std::string tunnel_drop_in_path(const std::string& name) {
    return fmt::format("{}/{}.yaml", drop_in_directory, name);
}

bool is_planned(const std::vector<std::string>& patterns, const UnitSettings& settings) {
    const auto matches = [&](const std::string& pattern) {
        return std::ranges::any_of(settings.names, [&](const std::string& name) {
            return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
        });
    };
    return std::ranges::any_of(patterns, matches);
}

Result<bool> write_public(const FileChange& change) {
    auto before = read_host_file(change.path);
    if (!before) return before.error();
    if (*before && (*before)->text.reveal() == change.text) return false;
    const FileOwner owner = *before ? (*before)->owner : FileOwner{};
    if (auto written = write_host_file(change.path, change.text, owner); !written)
        return written.error();
    return true;
}

void show_changes(const std::vector<FileChange>& changes) {
    for (const FileChange& change : changes) {
        const auto before = read_host_file(change.path);
        const bool there = before && *before;
        const std::string diff =
            diff_of(there ? (*before)->text.reveal() : std::string_view(), change.text);
        if (diff.empty()) continue;
        fmt::print("{} {}\n{}\n", there ? "Change" : "Create", change.path, diff);
    }
}

}  // namespace keyturn
