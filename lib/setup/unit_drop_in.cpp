#include "setup/unit_drop_in.hpp"

#include "cloudflared/cloudflared_command.hpp"
#include "cloudflared/unit_environment.hpp"
#include "cloudflared/unit_words.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <fnmatch.h>
#include <optional>
#include <string_view>

namespace keyturn {

namespace {

constexpr std::string_view unset_line = "UnsetEnvironment=TUNNEL_TOKEN TUNNEL_TOKEN_FILE";
constexpr std::string_view fingerprint_mark = "# The token before has the fingerprint ";
constexpr std::string_view place_mark = "# It is in ";
constexpr std::string_view kept_mark = "# It is kept in ";
constexpr std::string_view suffix = ".conf";
constexpr std::string_view usual_name = "zz-keyturn.conf";

/// The command that counts. A service has only one, unless it is of Type=oneshot.
struct Command {
    const std::vector<std::string>* arguments;
    CloudflaredCommand read;
};

std::optional<Command> command_to_write(const UnitSettings& settings) {
    for (const std::vector<std::string>& arguments : settings.exec_start) {
        auto read = read_cloudflared_command(arguments);
        if (!read) continue;
        if (read->contained || !read->front.empty()) return std::nullopt;
        return Command{&arguments, std::move(*read)};
    }
    return std::nullopt;
}

bool is_token_option(const std::string& name) {
    return name == "token" || name == "token-file" || name == "credentials-file" ||
           name == "credentials-contents";
}

/// An argument such as "env TUNNEL_TOKEN=... cloudflared" takes effect in spite of
/// UnsetEnvironment=.
bool is_token_assignment(const std::string& argument) {
    return argument.starts_with("TUNNEL_TOKEN=") || argument.starts_with("TUNNEL_TOKEN_FILE=");
}

/// Marks the words of the command that the new command leaves out.
std::vector<bool> dropped_words(const Command& command) {
    std::vector<bool> dropped(command.arguments->size(), false);
    for (const CloudflaredCommand::Option& option : command.read.options) {
        if (!is_token_option(option.name)) continue;
        for (std::size_t offset = 0; offset < option.count; ++offset)
            dropped[option.first + offset] = true;
    }
    for (std::size_t index = 0; index < command.read.program; ++index)
        if (is_token_assignment((*command.arguments)[index])) dropped[index] = true;
    return dropped;
}

std::string new_command(const Command& command, const std::string& credential) {
    const std::vector<bool> dropped = dropped_words(command);
    std::vector<std::string> words;
    for (std::size_t index = 0; index < command.arguments->size(); ++index) {
        if (!dropped[index]) words.push_back(as_unit_file_word((*command.arguments)[index]));
        if (index + 1 == command.read.after_run)
            words.push_back(fmt::format("--token-file %d/{}", credential));
    }
    return fmt::format("ExecStart={}", fmt::join(words, " "));
}

/// What the unit needs today only for its old token.
class OldSource {
  public:
    OldSource(const UnitSettings& settings, const Command& command, const std::string& token_file,
              const ConnectorFiles& files)
        : settings_(settings), token_file_(token_file), files_(files) {
        const std::vector<bool> dropped = dropped_words(command);
        for (std::size_t index = 0; index < dropped.size(); ++index)
            (dropped[index] ? words_ : kept_).push_back((*command.arguments)[index]);
        for (const std::string_view name : {"TUNNEL_TOKEN_FILE", "TUNNEL_CRED_FILE"}) {
            if (auto path = variable_value(settings, command.read, name))
                words_.push_back(std::move(*path));
        }
        words_.push_back(files.configuration.token_file);
        words_.push_back(token_source_of(settings, files).path);
        find_paths();
    }

    /// True for a credential that only the removed words name.
    [[nodiscard]] bool feeds(const std::string& name, const std::string& path) const {
        if (path == token_file_) return false;
        const std::string end = '/' + name;
        const auto names = [&](const std::string& word) { return word.ends_with(end); };
        return std::any_of(words_.begin(), words_.end(), names) &&
               std::none_of(kept_.begin(), kept_.end(), names);
    }

    [[nodiscard]] bool feeds(const std::string& environment_file) const {
        const std::string path = environment_file.substr(environment_file.starts_with('-') ? 1 : 0);
        return std::find(files_.token_only.begin(), files_.token_only.end(), path) !=
               files_.token_only.end();
    }

    [[nodiscard]] bool is_asked_for(const UnitCondition& condition) const {
        return std::any_of(paths_.begin(), paths_.end(), [&](const std::string& path) {
            if (condition.type.ends_with("Glob"))
                return ::fnmatch(condition.parameter.c_str(), path.c_str(), FNM_PATHNAME) == 0;
            if (condition.type.ends_with("DirectoryNotEmpty"))
                return path.starts_with(condition.parameter + '/');
            return condition.parameter == path;
        });
    }

    /// What else needs one of those files, so that the operator does not delete them.
    [[nodiscard]] std::vector<std::string> still_needed() const {
        std::vector<std::string> needed;
        for (const std::string& file : settings_.environment_files) {
            if (!file.starts_with('-') && !feeds(file))
                needed.push_back("EnvironmentFile=" + on_one_line(file));
        }
        for (const auto& [setting, text] : settings_.needs) {
            const bool wanted =
                std::any_of(paths_.begin(), paths_.end(), [&text = text](const std::string& path) {
                    return text.find(path) != std::string::npos;
                });
            if (wanted) needed.push_back(setting + "=" + on_one_line(text));
        }
        return needed;
    }

  private:
    void find_paths() {
        for (const auto& [name, path] : settings_.load_credentials)
            if (feeds(name, path)) paths_.push_back(path);
        for (const EncryptedCredential& credential : settings_.encrypted_credentials)
            if (feeds(credential.name, credential.path)) paths_.push_back(credential.path);
        for (const std::string& file : settings_.environment_files)
            if (feeds(file)) paths_.push_back(file.substr(file.starts_with('-') ? 1 : 0));
        for (const std::string& word : words_) {
            const std::size_t slash = word.find('/');
            const bool option = word.starts_with('-') && word.find('=') < slash;
            if (word.starts_with('/') || (option && slash != std::string::npos))
                paths_.push_back(word.substr(slash));
        }
        std::erase(paths_, token_file_);
    }

    const UnitSettings& settings_;
    const std::string& token_file_;
    const ConnectorFiles& files_;
    std::vector<std::string> words_;  ///< The removed words of the command and the environment.
    std::vector<std::string> kept_;
    std::vector<std::string> paths_;  ///< Files that nothing needs any more.
};

/// Writes conditions and asserts. An empty one of any type removes all of its kind.
void write_conditions(const UnitSettings& settings, const OldSource& old, std::string_view kind,
                      std::vector<std::string>& lines) {
    std::vector<const UnitCondition*> kept;
    std::string_view reset;
    for (const UnitCondition& condition : settings.conditions) {
        if (!condition.type.starts_with(kind)) continue;
        if (old.is_asked_for(condition)) {
            reset = condition.type;
        } else {
            kept.push_back(&condition);
        }
    }
    if (reset.empty()) return;
    lines.push_back(fmt::format("{}=", reset));
    for (const UnitCondition* condition : kept) {
        lines.push_back(fmt::format("{}={}{}{}", condition->type, condition->trigger ? "|" : "",
                                    condition->negate ? "!" : "",
                                    on_one_line(without_specifiers(condition->parameter))));
    }
}

/// Writes credentials. An empty LoadCredential= also removes the encrypted ones.
void write_credentials(const UnitSettings& settings, const OldSource& old,
                       std::vector<std::string>& lines) {
    std::vector<std::string> kept;
    bool reset = false;
    const auto sort = [&](std::string_view setting, const std::string& name,
                          const std::string& path) {
        if (old.feeds(name, path)) {
            reset = true;
        } else {
            kept.push_back(fmt::format("{}={}:{}", setting, on_one_line(without_specifiers(name)),
                                       on_one_line(without_specifiers(path))));
        }
    };
    for (const auto& [name, path] : settings.load_credentials) sort("LoadCredential", name, path);
    for (const EncryptedCredential& credential : settings.encrypted_credentials)
        sort("LoadCredentialEncrypted", credential.name, credential.path);
    if (!reset) return;
    lines.emplace_back("LoadCredential=");
    lines.insert(lines.end(), kept.begin(), kept.end());
}

void write_environment_files(const UnitSettings& settings, const OldSource& old,
                             std::vector<std::string>& lines) {
    const auto& all = settings.environment_files;
    if (std::none_of(all.begin(), all.end(), [&](const auto& file) { return old.feeds(file); }))
        return;
    lines.emplace_back("EnvironmentFile=");
    for (const std::string& file : all) {
        if (!old.feeds(file))
            lines.push_back("EnvironmentFile=" + on_one_line(without_specifiers(file)));
    }
}

/// A name for the credential that nothing else uses. SetCredential= of the same name would supply
/// an old token when our file is missing, and it contains a secret, so it cannot be written again.
/// A kept credential of the same name would be lost.
std::string credential_name(const UnitSettings& settings, const OldSource& old) {
    const auto taken = [&](const std::string& name) {
        const auto& set = settings.set_credentials;
        if (std::find(set.begin(), set.end(), name) != set.end()) return true;
        const auto& sealed = settings.encrypted_credentials;
        return std::any_of(sealed.begin(), sealed.end(), [&](const EncryptedCredential& one) {
            return one.name == name && !old.feeds(one.name, one.path);
        });
    };
    std::string name = "token";
    while (taken(name)) name = "keyturn-" + name;
    return name;
}

std::string drop_in_directory(const UnitSettings& settings) {
    return fmt::format("/etc/systemd/system/{}.d", settings.name);
}

}  // namespace

std::vector<std::string> token_drop_in(const UnitSettings& settings, const std::string& token_file,
                                       const ConnectorFiles& files) {
    const auto command = command_to_write(settings);
    if (!command || !files.script.empty()) return {};
    const OldSource old(settings, *command, token_file, files);
    std::vector<std::string> lines;
    write_conditions(settings, old, "Condition", lines);
    write_conditions(settings, old, "Assert", lines);
    if (!lines.empty()) lines.insert(lines.begin(), "[Unit]");
    lines.emplace_back("[Service]");
    write_environment_files(settings, old, lines);
    write_credentials(settings, old, lines);
    const std::string credential = credential_name(settings, old);
    lines.push_back(
        fmt::format("LoadCredential={}:{}", credential, without_specifiers(token_file)));
    lines.emplace_back(unset_line);
    lines.emplace_back("ExecStart=");
    lines.push_back(new_command(*command, credential));
    return lines;
}

std::vector<std::string> still_needed(const UnitSettings& settings, const std::string& token_file,
                                      const ConnectorFiles& files) {
    const auto command = command_to_write(settings);
    if (!command) return {};
    return OldSource(settings, *command, token_file, files).still_needed();
}

std::string drop_in_path(const UnitSettings& settings) {
    return drop_in_directory(settings) + '/' + last_drop_in_name(settings);
}

std::string drop_in_text(const std::string& unit, const std::vector<std::string>& lines,
                         const TokenBefore& before) {
    std::string text = fmt::format(
        "# Written by keyturnctl: {0} takes its token from a file that keyturnd replaces.\n"
        "# To undo this, run: keyturnctl adopt --undo {0}\n",
        unit);
    text += fmt::format("{}{}\n", fingerprint_mark, before.fingerprint);
    for (const std::string& place : before.places)
        text +=
            fmt::format("{}{}\n", before.kept_safe ? kept_mark : place_mark, on_one_line(place));
    return text + fmt::format("{}\n", fmt::join(lines, "\n"));
}

TokenBefore token_before(std::string_view text) {
    TokenBefore before;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (line.starts_with(fingerprint_mark))
            before.fingerprint = line.substr(fingerprint_mark.size());
        const bool kept = line.starts_with(kept_mark);
        before.kept_safe = before.kept_safe || kept;
        if (kept || line.starts_with(place_mark)) {
            const std::string_view mark = kept ? kept_mark : place_mark;
            before.places.emplace_back(line.substr(mark.size()));
        }
    }
    return before;
}

std::string last_drop_in_name(const UnitSettings& settings) {
    std::string last;
    std::string path;
    for (const std::string& file : settings.files) {
        const std::string_view name = base_name(file);
        if (!name.ends_with(suffix) || name < last) continue;
        last = name;
        path = file;
    }
    // Of two files with the same name, systemd reads only one.
    const bool ours = is_own_drop_in(last) && path == drop_in_directory(settings) + '/' + last;
    if (ours) return last;
    if (last < usual_name) return std::string(usual_name);
    // "NAME.keyturn.conf" sorts after "NAME.conf", and none of the others sorts after that.
    return last.substr(0, last.size() - suffix.size()) + ".keyturn.conf";
}

}  // namespace keyturn
