#include "keyturnd/surge_unit.hpp"

#include "bus/bus.hpp"
#include "clock/clock.hpp"
#include "cloudflared/configuration_file.hpp"
#include "cloudflared/surge_unit.hpp"
#include "cloudflared/token_source.hpp"
#include "delivery/token_store.hpp"
#include "files/atomic_file.hpp"
#include "keyturnd/exit_code.hpp"
#include "units/unit_manager.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

namespace keyturn {

namespace {

/// How long to wait for systemd's answers. There is no second try.
constexpr std::chrono::seconds patience{10};

Result<std::string> content_of(const std::string& path) {
    std::ifstream file(path);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    if (!file) return Error{Fault::denied, "cannot read " + path + "; run this as root"};
    return text;
}

/// The first unit of the policy that systemd knows.
Task<Result<UnitSettings>> first_unit(UnitManager& units, std::vector<std::string> patterns) {
    const auto names = co_await units.expand(std::move(patterns));
    if (!names) co_return names.error();
    for (const NamedUnit& named : *names) {
        const auto state = co_await units.state(named.id);
        if (!state && state.error().fault != Fault::missing) co_return state.error();
        if (state && state->loaded()) co_return co_await units.settings(named.id);
    }
    co_return Error{Fault::missing, "systemd does not know any unit in `units:`"};
}

Result<std::string> surge_unit_of(const TunnelPolicy& tunnel, const std::string& state_directory) {
    boost::asio::io_context context{1};
    Bus bus(context, system_bus());
    const auto clock = make_clock(context.get_executor());
    const auto units = make_unit_manager(bus, *clock);
    std::optional<Result<UnitSettings>> settings;
    const auto answered = [&](const std::exception_ptr& error, Result<UnitSettings> answer) {
        if (!error) settings = std::move(answer);
        context.stop();
    };
    bus.on_connect([&](sd_bus*) {
        std::vector<std::string> patterns = tunnel.units;
        boost::asio::co_spawn(context, first_unit(*units, std::move(patterns)), answered);
    });
    bus.start();
    context.run_for(patience);
    if (!settings) return Error{Fault::unreachable, "systemd does not answer"};
    if (!*settings) return settings->error();
    const std::string token_file = make_token_store(state_directory)->path(tunnel.name);
    const ConnectorFiles files = look_at_files(**settings);
    if (const auto problem = token_source_problem(**settings, token_file, files)) {
        return Error{Fault::invalid, fmt::format("{}: {}", (*settings)->name, *problem)};
    }
    std::vector<std::string> texts;
    for (const std::string& path : (*settings)->files) {
        Result<std::string> text = content_of(path);
        if (!text) return text.error();
        texts.push_back(std::move(*text));
    }
    return surge_unit_text(**settings, texts, tunnel.name, token_file);
}

/// Writes the file completely or not at all: an empty unit file would mask the unit, and half a
/// file would be a wrong unit.
Result<void> write_whole(const std::string& path, const std::string& text) {
    const std::filesystem::path whole = std::filesystem::absolute(path);
    const std::string name = whole.filename();
    const Result<Directory> directory = Directory::open(whole.parent_path());
    if (!directory) return directory.error();
    if (const auto fits = check_file_name(name); !fits) return fits.error();
    return replace_file(*directory, name, text);
}

}  // namespace

int print_surge_unit(const CommandLine& options, const Policy& policy) {
    const auto tunnel = std::ranges::find(policy.tunnels, options.surge_unit, &TunnelPolicy::name);
    if (tunnel == policy.tunnels.end()) {
        std::fprintf(stderr, "keyturnd: the policy has no tunnel %s\n", options.surge_unit.c_str());
        return exit_usage;
    }
    const Result<std::string> text = surge_unit_of(*tunnel, options.state_directory);
    if (!text) {
        std::fprintf(stderr, "keyturnd: %s\n", text.error().text.c_str());
        return exit_error;
    }
    if (options.output.empty()) {
        std::fputs(text->c_str(), stdout);
        return exit_ok;
    }
    const Result<void> written = write_whole(options.output, *text);
    if (!written) std::fprintf(stderr, "keyturnd: %s\n", written.error().text.c_str());
    return written ? exit_ok : exit_error;
}

}  // namespace keyturn
