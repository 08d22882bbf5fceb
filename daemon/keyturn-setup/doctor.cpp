#include "doctor.hpp"

#include "base/closest.hpp"
#include "doctor/examination.hpp"
#include "doctor/report.hpp"
#include "host_facts.hpp"
#include "keyturnctl/terminal.hpp"
#include "setup.hpp"
#include "setup/host_file.hpp"

#include <fmt/format.h>

#include <algorithm>

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

Result<ExitCode> run(const DoctorCommand& command) {
    Question question;
    question.only = command.only;
    for (const std::string& unit : command.units)
        question.units.push_back(unit.find('.') == std::string::npos ? unit + ".service" : unit);
    for (const std::string& id : command.only)
        if (auto valid = known(id); !valid) return valid.error();
    for (const std::string& id : {command.ignore, command.heed})
        if (!id.empty())
            if (auto valid = known(id); !valid) return valid.error();
    auto ignored = read_ignored();
    if (!ignored) return ignored.error();
    const HostFacts facts = gather_host_facts();
    if (auto written = write_ignored(command, facts.now, *ignored); !written)
        return written.error();
    question.ignored = std::move(*ignored);
    const Examination examination = examine(facts, question);
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
