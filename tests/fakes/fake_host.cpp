#include "fakes/fake_host.hpp"

#include "token/base64.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace keyturn {

namespace {

std::string content_of(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

FakeHost::FakeHost(SimulatedClock& clock, const TunnelPolicy& policy, std::string token_file)
    : clock_(clock),
      policy_(policy),
      token_file_(std::move(token_file)),
      current_{policy.account, policy.tunnel, Secret::copy_of(std::string(32, 'o')), ""} {
    for (const std::string& name : policy.units) {
        Unit& unit = units[name];
        unit.state.name = name;
        unit.state.load_state = "loaded";
        unit.state.active_state = "inactive";
        unit.state.sub_state = "dead";
        unit.state.result = "success";
    }
}

std::string FakeHost::api_token_text() const {
    return std::string(encode_token(current_).reveal());
}

void FakeHost::start_units() {
    for (auto& [name, unit] : units) start(unit);
}

void FakeHost::rotate_by_somebody_else(char letter) {
    current_.secret = Secret::copy_of(std::string(32, letter));
}

void FakeHost::hold_secret(std::string_view text) {
    current_.secret = std::move(*decode_base64(text));
}

void FakeHost::start(Unit& unit) {
    const int id = next_id++;
    unit.state.invocation = fmt::format("{:032x}", id);
    unit.connector = fmt::format("connector-{}", id);
    unit.started = clock_.boot_now();
    unit.token = content_of(token_file_);
    unit.connected = unit.token == api_token_text();
    unit.state.active_state = unit.ignores_starts ? "failed" : "active";
    unit.state.sub_state = unit.ignores_starts ? "failed" : "running";
    unit.state.main_pid = unit.ignores_starts ? 0U : 100U + static_cast<unsigned>(id);
}

Task<Result<TunnelFacts>> FakeHost::get_tunnel(TunnelRef) {
    if (api_down) co_return *api_down;
    co_return TunnelFacts();
}

Task<Result<TokenAnswer>> FakeHost::get_token(TunnelRef) {
    if (api_down) co_return *api_down;
    TokenAnswer answer;
    answer.token = Secret::copy_of(api_token_shown.value_or(api_token_text()));
    answer.server_time = clock_.true_now();
    co_return std::move(answer);
}

Task<Result<std::optional<Secret>>> FakeHost::patch_secret(TunnelRef, const Secret& secret) {
    if (api_down) co_return *api_down;
    const std::string text(secret.reveal());
    const std::string document =
        fmt::format(R"({{"a":"{}","s":"{}","t":"{}"}})", policy_.account, text, policy_.tunnel);
    const Secret token = encode_base64(document);
    auto decoded = decode_token(token.reveal());
    if (!decoded) co_return decoded.error();
    current_ = std::move(*decoded);
    if (on_patch) on_patch(text);
    secrets_sent.insert(fingerprint_of(current_));
    co_return std::optional<Secret>(Secret::copy_of(token.reveal()));
}

Task<Result<std::vector<Connector>>> FakeHost::list_connectors(TunnelRef) {
    if (api_down) co_return *api_down;
    std::vector<Connector> connectors = strangers;
    for (const auto& [name, unit] : units) {
        if (!unit.state.running() || !unit.connected) continue;
        connectors.push_back(Connector{unit.connector, address, "", "", 4});
    }
    co_return connectors;
}

Task<Result<void>> FakeHost::evict(TunnelRef, std::string connector) {
    if (api_down) co_return *api_down;
    evicted.push_back(connector);
    std::erase_if(strangers, [&](const Connector& stranger) {
        return connector.empty() || stranger.id == connector;
    });
    for (auto& [name, unit] : units) {
        // A connector with the current token comes back at once.
        if (connector.empty() || unit.connector == connector)
            unit.connected = unit.token == api_token_text();
    }
    co_return Result<void>();
}

Task<Result<std::vector<NamedUnit>>> FakeHost::expand(std::vector<std::string> patterns) {
    std::vector<std::string> names;
    for (const std::string& pattern : patterns) {
        const auto glob = globs.find(pattern);
        if (glob == globs.end()) {
            names.push_back(pattern);
        } else {
            names.insert(names.end(), glob->second.begin(), glob->second.end());
        }
    }
    std::vector<NamedUnit> named;
    for (const std::string& name : names) {
        const std::string id = aliases.contains(name) ? aliases.at(name) : name;
        auto unit = std::ranges::find(named, id, &NamedUnit::id);
        if (unit == named.end()) unit = named.insert(unit, NamedUnit{id, {}});
        unit->names.push_back(name);
    }
    co_return named;
}

Task<Result<Permission>> FakeHost::may(std::string unit, UnitVerb verb) {
    questions.emplace_back(unit, verb);
    if (polkit_gone) co_return *polkit_gone;
    co_return permissions.contains(unit) ? permissions.at(unit) : Permission::granted;
}

Task<Result<UnitState>> FakeHost::state(std::string unit) {
    if (aliases.contains(unit)) unit = aliases.at(unit);
    Result<UnitState> state = Error{Fault::missing, "there is no such unit", {}};
    if (units.contains(unit)) state = units.at(unit).state;
    co_return state;
}

Task<Result<UnitSettings>> FakeHost::settings(std::string unit) {
    UnitSettings settings;
    const auto known = units.find(unit);
    if (known != units.end() && known->second.settings) settings = *known->second.settings;
    settings.name = unit;
    settings.names = {unit};
    for (const auto& [alias, id] : aliases) {
        if (id == unit) settings.names.push_back(alias);
    }
    if (!settings.exec_start.empty()) co_return settings;
    settings.exec_start = {{"cloudflared", "tunnel", "run", "--token-file", "%d/token"}};
    settings.load_credentials = {{"token", token_file_}};
    settings.unset_environment = {"TUNNEL_TOKEN", "TUNNEL_TOKEN_FILE"};
    settings.start_timeout = std::chrono::seconds{15};
    settings.stop_timeout = std::chrono::seconds{90};
    co_return settings;
}

Task<Result<RestartResult>> FakeHost::restart(std::string unit, RestartVerb, Milliseconds) {
    if (aliases.contains(unit)) unit = aliases.at(unit);
    Unit& restarted = units.at(unit);
    ++restarted.restarts;
    start(restarted);
    co_return restarted.ignores_starts ? JobResult::failed : JobResult::done;
}

Task<Result<JobResult>> FakeHost::stop(std::string unit, Milliseconds) {
    Unit& stopped = units.at(unit);
    stopped.connected = false;
    stopped.state.active_state = "inactive";
    stopped.state.sub_state = "dead";
    stopped.state.main_pid = 0;
    co_return JobResult::done;
}

Task<Result<Readiness>> FakeHost::readiness(UnitState unit) {
    const Unit& asked = units.at(unit.name);
    const BootTime answers = clock_.boot_now() + asked.ready_takes;
    const bool waits = asked.ready_takes.count() > 0;
    if (waits) co_await clock_.sleep_until(answers);
    if (asked.unready) co_return *asked.unready;
    const bool full = clock_.boot_now() - asked.started >= std::chrono::seconds{2};
    Readiness readiness;
    readiness.connector_id = asked.connector;
    readiness.tunnel = policy_.tunnel;
    readiness.connections = asked.connected ? (full ? 4 : 1) : 0;
    readiness.serving = asked.connected;
    co_return readiness;
}

}  // namespace keyturn
