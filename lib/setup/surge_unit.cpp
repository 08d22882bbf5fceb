#include "setup/surge_unit.hpp"

#include "cloudflared/cloudflared_command.hpp"
#include "setup/unit_drop_in.hpp"
#include "units/redaction.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace keyturn {

namespace {

struct Obstacle {
    std::string_view setting;
    std::string_view why;
};

constexpr std::string_view done_once = "may do something that must happen only once";
constexpr std::string_view goes_away = "is removed when the first of the two units stops";
constexpr std::string_view not_shared = "cannot belong to two units";

/// Settings that two units cannot have in common.
constexpr std::array obstacles{
    Obstacle{"ExecStartPre", done_once},       Obstacle{"ExecStartPost", done_once},
    Obstacle{"ExecStop", done_once},           Obstacle{"ExecStopPost", done_once},
    Obstacle{"ExecReload", done_once},         Obstacle{"RuntimeDirectory", goes_away},
    Obstacle{"StateDirectory", not_shared},    Obstacle{"CacheDirectory", not_shared},
    Obstacle{"LogsDirectory", not_shared},     Obstacle{"PIDFile", not_shared},
    Obstacle{"BusName", not_shared},           Obstacle{"Sockets", not_shared},
    Obstacle{"FileDescriptorName", not_shared}};

Error not_derivable(const std::string& unit, std::string_view why) {
    return Error{
        Fault::invalid,
        fmt::format(
            "a unit like {} cannot run beside it: {}; write keyturn-surge@.service yourself", unit,
            why),
        {}};
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const auto end = text.find('\n');
        lines.push_back(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return lines;
}

bool is_comment(std::string_view line) {
    return line.starts_with('#') || line.starts_with(';');
}

/// The parts of "PREFIX@INSTANCE.service".
struct UnitName {
    explicit UnitName(std::string_view name) : full(name) {
        without_type = name.substr(0, name.rfind('.'));
        const auto at = without_type.find('@');
        prefix = without_type.substr(0, at);
        if (at != std::string_view::npos) instance = without_type.substr(at + 1);
    }
    std::string_view full;
    std::string_view without_type;
    std::string_view prefix;
    std::string_view instance;
};

/// The value of a specifier that depends on the unit's name; nothing for an unknown specifier.
std::optional<std::string_view> value_of(char specifier, const UnitName& name) {
    switch (specifier) {
        case 'i': return name.instance;
        case 'n': return name.full;
        case 'N': return name.without_type;
        case 'p': return name.prefix;
        case 'I':
            // %i is escaped and %I is not. Without special characters they are the same.
            if (name.instance.find_first_of("-\\") == std::string_view::npos) return name.instance;
            return std::nullopt;
        default: return std::nullopt;
    }
}

/// Replaces the specifiers for the unit's name, which would have other values in another unit.
/// Those for the host, the user and the directories stay.
Result<std::string> written_out(std::string_view line, const UnitName& name) {
    std::string text;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char next = i + 1 < line.size() ? line[i + 1] : '\0';
        if (line[i] != '%' || next == '\0') {
            text += line[i];
            continue;
        }
        ++i;
        if (const auto value = value_of(next, name)) {
            text += *value;
            continue;
        }
        if (std::string_view("IPfjJ").find(next) != std::string_view::npos) {
            return not_derivable(std::string(name.full),
                                 fmt::format("%{} stands for a part of its name", next));
        }
        text += '%';
        text += next;
    }
    return text;
}

/// One setting of a unit file, on one line.
struct Setting {
    std::string section;
    std::string key;
    std::string line;
};

/// Reads the settings of a file. Joins continued lines and skips comments.
void read_settings(std::string_view text, std::vector<Setting>& settings) {
    std::string section;
    std::string whole;
    for (const std::string_view line : lines_of(text)) {
        const std::string_view content = trimmed(line);
        if (is_comment(content) || (content.empty() && whole.empty())) continue;
        whole += content;
        if (whole.ends_with('\\')) {
            whole.back() = ' ';
            continue;
        }
        if (whole.starts_with('[')) {
            section = whole;
        } else {
            const std::string_view key =
                trimmed(std::string_view(whole).substr(0, whole.find('=')));
            settings.push_back({section, std::string(key), whole});
        }
        whole.clear();
    }
}

/// True for what the surge unit does not need: its command is written separately, a condition could
/// only keep it from helping, and SetCredential= contains a secret.
bool is_left_out(const Setting& setting) {
    const std::string_view key = setting.key;
    return setting.section == "[Install]" || key == "ExecStart" || key.starts_with("Condition") ||
           key.starts_with("Assert") || key.starts_with("SetCredential");
}

/// Copies all settings that take effect, without secrets.
Result<std::string> copied(const std::vector<std::string>& texts, const UnitName& name) {
    std::vector<Setting> settings;
    for (const std::string& text : texts) read_settings(text, settings);
    std::string copy;
    std::string section;
    for (auto setting = settings.begin(); setting != settings.end(); ++setting) {
        if (is_left_out(*setting)) continue;
        const auto obstacle = std::ranges::find(obstacles, setting->key, &Obstacle::setting);
        if (obstacle != obstacles.end()) {
            // An empty setting cancels those before it.
            const bool taken_out = std::any_of(setting, settings.end(), [&](const Setting& later) {
                return later.key == setting->key && later.line.ends_with('=');
            });
            if (taken_out) continue;
            return not_derivable(std::string(name.full),
                                 fmt::format("its {}= {}", obstacle->setting, obstacle->why));
        }
        const Result<std::string> written = written_out(ArgumentCut().next(setting->line), name);
        if (!written) return written.error();
        if (section != setting->section) copy += '\n' + setting->section + '\n';
        section = setting->section;
        copy += *written + '\n';
    }
    return copy;
}

/// The unit's command with a metrics server on a free port and without a file for its process id.
std::optional<std::vector<std::string>> own_command(const UnitSettings& settings) {
    for (const std::vector<std::string>& arguments : settings.exec_start) {
        const auto command = read_cloudflared_command(arguments);
        if (!command || command->contained) continue;
        std::vector<std::string> words;
        for (std::size_t i = 0; i < arguments.size(); ++i) {
            const bool dropped = std::ranges::any_of(command->options, [&](const auto& option) {
                const bool meant = option.name == "metrics" || option.name == "pidfile";
                return meant && i >= option.first && i < option.first + option.count;
            });
            if (!dropped) words.push_back(arguments[i]);
            if (i == command->program) words.emplace_back("--metrics=127.0.0.1:0");
        }
        return words;
    }
    return std::nullopt;
}

}  // namespace

Result<std::string> surge_unit_text(const UnitSettings& settings,
                                    const std::vector<std::string>& texts,
                                    const std::string& tunnel_name, const std::string& token_file) {
    const UnitName name(settings.name);
    std::string unit = fmt::format(
        "# A copy of {} under another name. keyturnd starts it while it restarts the units of\n"
        "# tunnel {} and too few others serve, and stops it afterwards.\n"
        "# Written by `keyturnctl surge {}`. Run that again when the unit changes.\n",
        settings.name, tunnel_name, tunnel_name);
    const Result<std::string> copy = copied(texts, name);
    if (!copy) return copy.error();
    unit += *copy;
    const auto command = own_command(settings);
    if (!command)
        return not_derivable(settings.name,
                             "its command is not `cloudflared tunnel run`, or runs in a container");
    UnitSettings own = settings;
    own.exec_start = {*command};
    own.environment_files.clear();
    own.conditions.clear();
    unit += fmt::format(
        "\n[Unit]\nDescription=Cloudflare Tunnel {}, extra connector of keyturn\n\n{}\n",
        tunnel_name, fmt::join(token_drop_in(own, token_file), "\n"));
    return unit;
}

}  // namespace keyturn
