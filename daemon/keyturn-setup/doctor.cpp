#include "doctor.hpp"

#include "attested.hpp"
#include "base/closest.hpp"
#include "doctor/examination.hpp"
#include "doctor/remedy.hpp"
#include "doctor/report.hpp"
#include "dump.hpp"
#include "host_facts.hpp"
#include "keyturnctl/terminal.hpp"
#include "model/installed_names.hpp"
#include "setup.hpp"
#include "setup/host_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>

namespace keyturn {

namespace {

constexpr const char* ignored_path = "/etc/keyturn/doctor-ignored";
constexpr std::size_t date_size = 10;

Result<std::vector<IgnoredCheck>> read_ignored() {
    const auto file = read_host_file(ignored_path);
    if (!file) return file.error();
    if (!*file) return std::vector<IgnoredCheck>{};
    return parse_ignored((*file)->text.reveal());
}

/// `invalid` for an id that no check has.
Result<void> known(const std::string& id) {
    if (find_check(id) != nullptr) return {};
    std::vector<std::string_view> ids;
    for (const Check& check : all_checks()) ids.push_back(check.id);
    const std::string_view near = closest(id, ids);
    return Error{Fault::invalid,
                 fmt::format("there is no check \"{}\"{}", id,
                             near.empty() ? "" : fmt::format("; did you mean {}?", near)),
                 {}};
}

Result<void> write_ignored(const DoctorCommand& command, WallTime now,
                           std::vector<IgnoredCheck>& ignored) {
    const std::string& id = command.ignore.empty() ? command.heed : command.ignore;
    if (id.empty()) return {};
    std::erase_if(ignored, [&](const IgnoredCheck& one) { return one.id == id; });
    if (!command.ignore.empty()) {
        ignored.push_back({id, to_text(now).substr(0, date_size), command.why});
    }
    return write_host_file(ignored_path, ignored_text(ignored), FileOwner{});
}

/// True if the policy has this unit, although nothing on this host runs as such.
bool is_expected(const HostFacts& facts, const std::string& name) {
    return std::ranges::any_of(facts.tunnels, [&](const TunnelSeen& tunnel) {
        return surge_unit_of(tunnel.name) == name ||
               std::ranges::find(tunnel.lost_units, name) != tunnel.lost_units.end() ||
               std::ranges::find(tunnel.masked_units, name) != tunnel.masked_units.end();
    });
}

/// The units that the operator named, each with the extra connector of its tunnel.
Result<std::vector<std::string>> named_units(const std::vector<std::string>& given,
                                             const HostFacts& facts) {
    std::vector<std::string> units;
    for (const std::string& text : given) {
        const std::string name = text.find('.') == std::string::npos ? text + ".service" : text;
        const auto known = std::ranges::find_if(facts.units, [&](const UnitSeen& unit) {
            const auto& names = unit.settings.names;
            return unit.name() == name || std::ranges::find(names, name) != names.end();
        });
        if (known != facts.units.end()) {
            units.push_back(known->name());
            if (!known->planned_for.empty()) units.push_back(surge_unit_of(known->planned_for));
        } else if (facts.units.empty() || is_expected(facts, name)) {
            units.push_back(name);
        } else {
            std::vector<std::string> all;
            for (const UnitSeen& unit : facts.units) all.push_back(unit.name());
            return Error{Fault::missing,
                         fmt::format("{} is no unit with a cloudflared on this host; there are: {}",
                                     name, fmt::join(all, ", ")),
                         {}};
        }
    }
    return units;
}

/// Has root look again at those of the units whose attestation is out of date, if nothing else is
/// wrong about what root looks at. What it has accepted is no finding any more.
Result<void> renew_attestations(const std::vector<std::string>& units, std::FILE* to,
                                HostFacts& facts) {
    Question question;
    question.only = {"attestation"};
    question.units = units;
    const auto stale = examine(facts, question).findings;
    if (units.empty() || stale.empty()) return {};
    Foreground host;
    if (auto connected = host.connect(); !connected) return connected.error();
    for (const Reported& one : stale) {
        const std::string& unit = one.finding.about.at(0);
        const auto attested = attest_unit(host, unit, one.finding.about.at(1));
        if (!attested) {
            fmt::print(stderr, "keyturnctl: {}\n", attested.error().text);
            continue;
        }
        fmt::print(to, "{}\n\n", text_of(*attested));
        for (UnitSeen& seen : facts.units)
            if (seen.name() == unit) seen.attestation_problem.clear();
        for (TunnelSeen& tunnel : facts.tunnels)
            if (surge_unit_of(tunnel.name) == unit) tunnel.surge_attestation_problem.clear();
    }
    return {};
}

/// Says on a terminal what it looks at: where something does not answer, that takes seconds.
HostFacts looked_at() {
    Terminal terminal;
    HostFacts facts = gather_host_facts([&](std::string_view what) {
        terminal.show({}, {fmt::format("Looking at {} ...", what)});
    });
    terminal.show({}, {});
    return facts;
}

Result<ExitCode> run(const DoctorCommand& command) {
    Question question;
    question.only = command.only;
    for (const std::string& id : command.only)
        if (auto valid = known(id); !valid) return valid.error();
    for (const std::string& id : {command.ignore, command.heed})
        if (!id.empty())
            if (auto valid = known(id); !valid) return valid.error();
    auto ignored = read_ignored();
    if (!ignored) return ignored.error();
    if (!command.dump.empty()) {
        if (auto fit = check_dump_path(command.dump); !fit) return fit.error();
        announce_dump();
    }
    HostFacts facts = looked_at();
    auto units = named_units(command.units, facts);
    if (!units) return units.error();
    question.units = std::move(*units);
    if (auto written = write_ignored(command, facts.now, *ignored); !written)
        return written.error();
    question.ignored = std::move(*ignored);
    if (auto renewed = renew_attestations(question.units, command.json ? stderr : stdout, facts);
        !renewed)
        return renewed.error();
    const Examination examination = examine(facts, question);
    if (!command.dump.empty()) return write_dump(command.dump, facts, examination);
    const std::size_t columns = Terminal().style().columns;
    fmt::print("{}", command.json ? report_json(examination) : report_text(examination, columns));
    return examination.failed() ? ExitCode::findings : ExitCode::ok;
}

}  // namespace

ExitCode examine_host(const DoctorCommand& command) {
    const auto result = run(command);
    return result ? *result : fail(result.error());
}

}  // namespace keyturn
