#include "dump.hpp"

#include "doctor/dump.hpp"
#include "doctor/redactor.hpp"
#include "doctor/report.hpp"
#include "dump_file.hpp"
#include "keyturnctl/terminal.hpp"
#include "model/installed_names.hpp"
#include "setup/command.hpp"
#include "setup/host_file.hpp"
#include "setup/process_token.hpp"
#include "token/token.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <set>
#include <sys/stat.h>
#include <unistd.h>

namespace keyturn {

namespace {

namespace fs = std::filesystem;

constexpr const char* top = "keyturn-dump";
constexpr std::size_t report_columns = 100;
constexpr std::chrono::seconds patience{30};
/// Of all fields of the entries, most of which do not go into the dump.
constexpr std::size_t raw_journal_max = std::size_t{64} * 1024 * 1024;
constexpr std::size_t listed_max = 5000;

constexpr std::string_view announcement =
    "Collecting what a bug report about keyturn needs: what doctor finds, the status, the policy,\n"
    "the units of the connectors and of keyturn, its journal and state, versions and file modes.\n"
    "Tokens, secrets and credentials are left out. The names of this host, its units and tunnels,\n"
    "and the ids of accounts, tunnels and connectors are in it.\n\n";

constexpr const char* show_properties =
    "Id,Names,LoadState,ActiveState,SubState,Result,UnitFileState,NRestarts,ExecMainCode,"
    "ExecMainStatus,ActiveEnterTimestamp,InactiveEnterTimestamp,InvocationID,NeedDaemonReload,Type,"
    "User,Group,FragmentPath,DropInPaths,MemoryCurrent,TasksCurrent,After,Requires,BoundBy,PartOf";

/// Which part of a text the rules are for.
using Rule = Redacted (Redactor::*)(std::string_view) const;

class Collection {
  public:
    Collection(const HostFacts& facts, const Examination& examination) : facts_(facts) {
        know_all_secrets();
        add("doctor.txt", "keyturnctl doctor", report_text(examination, report_columns));
        add("doctor.json", "keyturnctl doctor --json", report_json(examination), &Redactor::json);
        add_output("status.json", {"keyturnctl", "status", "--json"}, &Redactor::json);
        add_policy();
        add_units();
        add_journals();
        add_folder("state", "/var/lib/keyturn/state", &Redactor::json);
        add_folder("history", "/var/lib/keyturn/history", &Redactor::json);
        add_versions();
        add("permissions.txt", "the directories of keyturn", permissions());
        add_output("security.txt",
                   {"systemd-analyze", "security", "--no-pager", "keyturnd.service"});
    }

    std::vector<DumpFile> files() {
        const std::string heading = fmt::format(
            "Support dump of keyturn {}, made {}.\n"
            "Every text has gone through a filter that takes away tokens, secrets, credentials "
            "and\n"
            "whatever looks like one: \"redacted\" is how many pieces it has replaced. Names of\n"
            "hosts, units and tunnels, and ids of accounts, tunnels and connectors are still "
            "there.\n",
            KEYTURN_VERSION, to_text(facts_.now));
        files_.insert(files_.begin(),
                      {"MANIFEST", "this list", {manifest(heading, files_), 0}, {}});
        return std::move(files_);
    }

  private:
    void know_file(const fs::path& path) {
        if (const auto file = read_host_file(path); file && *file)
            redactor_.know((*file)->text.reveal());
    }

    void know_all_secrets() {
        std::error_code error;
        for (const char* folder : {"/var/lib/keyturn/tokens", "/var/lib/keyturn/pending"}) {
            for (const auto& entry : fs::directory_iterator(folder, error)) know_file(entry.path());
        }
        for (const auto& entry : fs::directory_iterator("/etc/keyturn", error)) {
            struct stat status {};
            const bool seen = ::stat(entry.path().c_str(), &status) == 0;
            if (seen && (status.st_mode & (S_IRWXG | S_IRWXO)) == 0) know_file(entry.path());
        }
        for (const UnitSeen& unit : facts_.units) {
            if (unit.state.main_pid == 0) continue;
            for (const pid_t process : processes_beside(static_cast<pid_t>(unit.state.main_pid))) {
                const auto found = token_of_process(process);
                if (found && found->token) redactor_.know(encode_token(*found->token).reveal());
            }
        }
    }

    void add(const std::string& name, const std::string& source, std::string_view text,
             Rule rule = &Redactor::prose, const std::string& note = {}) {
        std::string safe_name = redactor_.prose(name).text;
        safe_name.resize(safe_name.size() - 1);  // The end of the line.
        std::ranges::replace(safe_name, '?', '_');
        files_.push_back({safe_name, source, (redactor_.*rule)(text), note});
    }

    void add_output(const std::string& name, const std::vector<std::string>& words,
                    Rule rule = &Redactor::prose) {
        add_output_of(name, fmt::format("{}", fmt::join(words, " ")), words, rule);
    }

    void add_output_of(const std::string& name, const std::string& source,
                       const std::vector<std::string>& words, Rule rule = &Redactor::prose) {
        const auto done = run_command(words, Secret(), patience);
        if (!done) {
            add(name, source, {}, rule, done.error().text);
            return;
        }
        std::string note;
        if (!done->errors.empty())
            note = fmt::format("It said: {}", redactor_.prose(done->errors).text);
        while (note.ends_with('\n')) note.pop_back();
        std::ranges::replace(note, '\n', ' ');
        add(name, source, done->output.reveal(), rule, note);
    }

    void add_file(const std::string& name, const std::string& path, Rule rule) {
        const auto file = read_host_file(path);
        if (!file)
            add(name, path, {}, rule, file.error().text);
        else if (*file)
            add(name, path, (*file)->text.reveal(), rule);
    }

    void add_folder(const std::string& name, const std::string& path, Rule rule) {
        std::error_code error;
        std::vector<std::string> paths;
        for (const auto& entry : fs::directory_iterator(path, error))
            if (entry.is_regular_file(error)) paths.push_back(entry.path());
        std::ranges::sort(paths);
        for (const std::string& one : paths)
            add_file(fmt::format("{}/{}", name, fs::path(one).filename().string()), one, rule);
    }

    void add_policy() {
        add_file("policy/keyturn.yaml", "/etc/keyturn/keyturn.yaml", &Redactor::settings);
        add_folder("policy/keyturn.d", "/etc/keyturn/keyturn.d", &Redactor::settings);
        add_folder("policy/attested", "/etc/keyturn/attested", &Redactor::json);
        add_file("policy/doctor-ignored", "/etc/keyturn/doctor-ignored", &Redactor::settings);
        for (const char* name : {"49-keyturn.rules", "50-keyturn.rules"})
            add_file(fmt::format("policy/{}", name), fmt::format("/etc/polkit-1/rules.d/{}", name),
                     &Redactor::settings);
    }

    void add_units() {
        std::set<std::string> names{"keyturnd.service"};
        for (const UnitSeen& unit : facts_.units) names.insert(unit.name());
        for (const TunnelSeen& tunnel : facts_.tunnels)
            if (tunnel.surge_unit) names.insert(surge_unit_of(tunnel.name));
        for (const std::string& name : names) {
            add_output(fmt::format("units/{}.txt", name),
                       {"systemctl", "cat", "--no-pager", "--", name}, &Redactor::unit);
            add_output_of(
                fmt::format("units/{}.state.txt", name), "systemctl show " + name,
                {"systemctl", "show", "--no-pager", "--property", show_properties, "--", name});
        }
    }

    void add_journals() {
        for (const char* unit : {"keyturnd", "keyturn-setup"}) {
            const JournalLimits limits;
            const std::string since = fmt::format("-{}d", limits.days);
            const std::string lines = std::to_string(limits.entries + 1);
            const std::vector<std::string> words{
                "journalctl", "--unit", unit,        "--since",       since,       "--lines",
                lines,        "--all",  "--reverse", "--output=json", "--no-pager"};
            const auto done = run_command(words, Secret(), patience, raw_journal_max);
            const std::string name = fmt::format("journal/{}.jsonl", unit);
            const std::string source = fmt::format("journalctl --unit {} --since {}", unit, since);
            if (!done) {
                add(name, source, {}, &Redactor::json, done.error().text);
                continue;
            }
            const JournalPart part = part_of_journal(done->output.reveal(), limits);
            std::string note;
            if (part.cut)
                note = fmt::format("cut: only the newest entries, at most {} and {} MiB",
                                   limits.entries, limits.bytes / 1024 / 1024);
            add(name, source, part.text, &Redactor::json, note);
        }
    }

    void add_versions() {
        add("version.txt", "keyturnctl", fmt::format("keyturn {}\n", KEYTURN_VERSION));
        add_output("versions/systemd.txt", {"systemctl", "--version"});
        add_output("versions/polkit.txt", {"pkaction", "--version"});
        add_output("versions/kernel.txt", {"uname", "-srvm"});
        add_file("versions/os-release.txt", "/etc/os-release", &Redactor::prose);
        std::set<std::string> programs;
        for (const UnitSeen& unit : facts_.units) {
            for (const auto& words : unit.settings.exec_start)
                if (!words.empty() && fs::path(words[0]).filename() == "cloudflared")
                    programs.insert(words[0]);
        }
        std::size_t number = 0;
        for (const std::string& program : programs) {
            // Not as root: a program may belong to the user of its unit.
            add_output_of(fmt::format("versions/cloudflared-{}.txt", ++number),
                          program + " --version, as the user nobody",
                          {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                           "--no-new-privs", "--", program, "--version"});
        }
    }

    static std::string permissions() {
        std::string text;
        std::size_t count = 0;
        const auto list = [&](const fs::path& path) {
            struct stat status {};
            if (++count > listed_max || ::lstat(path.c_str(), &status) != 0) return;
            text += fmt::format("{:06o} {:>5} {:>5} {:>9} {}\n", status.st_mode, status.st_uid,
                                status.st_gid, status.st_size, path.string());
        };
        text += "  mode  user group      size path\n";
        for (const char* folder : {"/etc/keyturn", "/var/lib/keyturn", "/run/keyturn"}) {
            list(folder);
            std::error_code error;
            std::vector<fs::path> paths;
            fs::recursive_directory_iterator entry(
                folder, fs::directory_options::skip_permission_denied, error);
            for (; !error && entry != fs::end(entry); entry.increment(error))
                paths.push_back(entry->path());
            std::ranges::sort(paths);
            std::ranges::for_each(paths, list);
        }
        return text;
    }

    const HostFacts& facts_;
    Redactor redactor_;
    std::vector<DumpFile> files_;
};

}  // namespace

Result<void> check_dump_path(const std::string& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) == 0)
        return Error{Fault::conflict, fmt::format("{} exists; name a new file", path), {}};
    const std::string parent = fs::absolute(path).parent_path();
    if (::access(parent.c_str(), W_OK) != 0) return errno_error(errno, "cannot write in " + parent);
    return {};
}

void announce_dump() {
    fmt::print("{}", announcement);
    std::fflush(stdout);
}

Result<ExitCode> write_dump(const std::string& path, const HostFacts& facts,
                            const Examination& examination) {
    const std::vector<DumpFile> files = Collection(facts, examination).files();
    if (auto written = write_archive(path, top, files); !written) return written.error();
    fmt::print(
        "{} has it, in {} files that only root can read. Look into it before you send it:\n"
        "    sudo tar tzf {}\n"
        "    sudo tar xzf {} --to-stdout {}/MANIFEST\n",
        path, files.size(), path, path, top);
    return ExitCode::ok;
}

}  // namespace keyturn
