#include "cloudflared/configuration_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace keyturn {

namespace {

constexpr std::array<std::string_view, 2> names{"config.yml", "config.yaml"};
constexpr std::array<std::string_view, 3> below_home{".cloudflared", ".cloudflare-warp",
                                                     "cloudflare-warp"};
constexpr std::array<std::string_view, 2> of_the_host{"/etc/cloudflared",
                                                      "/usr/local/etc/cloudflared"};

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

/// The key before a colon, without quotes.
std::string_view bare_key(std::string_view key) {
    key = trimmed(key);
    const bool quoted =
        key.size() >= 2 && (key.front() == '"' || key.front() == '\'') && key.back() == key.front();
    return quoted ? key.substr(1, key.size() - 2) : key;
}

/// A plain or quoted text on one line; nothing for text to which YAML gives a special meaning.
std::optional<std::string> plain_value(std::string_view text) {
    text = trimmed(text);
    if (text.empty()) return std::string();
    if (text.front() == '"' || text.front() == '\'') {
        const std::size_t end = text.find(text.front(), 1);
        if (end == std::string_view::npos) return std::nullopt;
        const std::string_view value = text.substr(1, end - 1);
        const std::string_view rest = trimmed(text.substr(end + 1));
        if (value.find('\\') != std::string_view::npos || !(rest.empty() || rest.front() == '#'))
            return std::nullopt;
        return std::string(value);
    }
    if (std::string_view("&*!|>{[%@`").find(text.front()) != std::string_view::npos)
        return std::nullopt;
    const std::size_t comment = text.find(" #");
    return std::string(trimmed(text.substr(0, comment)));
}

/// Where the value begins after the colon of a key; npos if the line has none.
std::size_t colon_of(std::string_view line) {
    std::size_t from = 0;
    if (line.front() == '"' || line.front() == '\'') {
        const std::size_t end = line.find(line.front(), 1);
        if (end == std::string_view::npos) return end;
        from = end;
    }
    for (std::size_t colon = line.find(':', from); colon != std::string_view::npos;
         colon = line.find(':', colon + 1)) {
        if (colon + 1 == line.size() || line[colon + 1] == ' ' || line[colon + 1] == '\t')
            return colon;
    }
    return std::string_view::npos;
}

void take(std::string& into, std::string_view value, ConfigurationFile& file) {
    std::optional<std::string> text = plain_value(value);
    file.unclear = file.unclear || !text;
    if (text) into = std::move(*text);
}

void read_line(std::string_view line, ConfigurationFile& file) {
    const std::size_t colon = colon_of(line);
    if (colon == std::string_view::npos ||
        std::string_view("?{[!&*").find(line.front()) != std::string_view::npos) {
        file.unclear = true;
        return;
    }
    const std::string_view key = bare_key(line.substr(0, colon));
    const std::string_view value = line.substr(colon + 1);
    if (key.find('\\') != std::string_view::npos || key == "<<") file.unclear = true;
    if (key == "token") file.token = true;
    if (key == "token-file") take(file.token_file, value, file);
    if (key == "credentials-file" || key == "cred-file") take(file.credentials_file, value, file);
    if (key == "credentials-contents") file.credentials_contents = true;
    if (key == "tunnel") take(file.tunnel, value, file);
    if (key == "metrics") take(file.metrics, value, file);
}

}  // namespace

ConfigurationFile read_configuration(std::string_view text) {
    ConfigurationFile file;
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    if (text.find('\0') != std::string_view::npos) file.unclear = true;
    bool begun = false;
    while (!text.empty()) {
        std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        const bool marker = line.starts_with("---") || line.starts_with("...");
        if (marker && begun) break;  // cloudflared reads only the first document.
        if (marker && !trimmed(line.substr(3)).empty()) file.unclear = true;
        if (marker || line.starts_with('%') || trimmed(line).empty() || line.starts_with('#'))
            continue;
        // The first line with content shows the indentation of the outermost level.
        if (!begun && (line.front() == ' ' || line.front() == '\t')) file.unclear = true;
        begun = true;
        const bool deeper = line.front() == ' ' || line.front() == '\t' || line.starts_with("- ") ||
                            line == "-" || line.front() == '}' || line.front() == ']';
        if (!deeper) read_line(line, file);
    }
    return file;
}

std::vector<std::string> default_configuration_paths(const std::string& home) {
    std::vector<std::string> paths;
    const auto add = [&](const std::string& directory) {
        for (const std::string_view name : names)
            paths.push_back(fmt::format("{}/{}", directory, name));
    };
    if (!home.empty()) {
        for (const std::string_view directory : below_home)
            add(fmt::format("{}/{}", home == "/" ? "" : home, directory));
    }
    for (const std::string_view directory : of_the_host) add(std::string(directory));
    return paths;
}

}  // namespace keyturn
