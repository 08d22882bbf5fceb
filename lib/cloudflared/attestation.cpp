#include "cloudflared/attestation.hpp"

#include "cloudflared/unit_words.hpp"
#include "token/digest.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <sys/stat.h>

namespace keyturn {

namespace {

constexpr int version = 1;
constexpr std::int64_t nanoseconds = 1'000'000'000;

std::int64_t moment(const timespec& time) {
    return static_cast<std::int64_t>(time.tv_sec) * nanoseconds + time.tv_nsec;
}

nlohmann::json to_json(const AttestedFile& file) {
    return {{"path", file.path},      {"exists", file.exists}, {"device", file.device},
            {"inode", file.inode},    {"size", file.size},     {"modified", file.modified},
            {"changed", file.changed}};
}

AttestedFile file_of(const nlohmann::json& json) {
    return {json.at("path"), json.at("exists"),   json.at("device"), json.at("inode"),
            json.at("size"), json.at("modified"), json.at("changed")};
}

/// One line for each value, so that no two lists look alike.
void add(std::string& text, std::string_view name, const std::vector<std::string>& values) {
    text += fmt::format("{} {}\n", name, values.size());
    for (const std::string& value : values) text += on_one_line(value) + '\n';
}

/// True if the attestation is of the unit with these settings.
bool is_of(const UnitSettings& settings, const Attestation& attestation) {
    return attestation.unit == settings.name &&
           attestation.settings == settings_digest(settings, attestation.salt);
}

}  // namespace

std::string attestation_path(const std::string& unit) {
    return fmt::format("/etc/keyturn/attested/{}.json", unit);
}

std::string settings_digest(const UnitSettings& settings, const std::string& salt) {
    std::string text;
    for (const auto& arguments : settings.exec_start) add(text, "command", arguments);
    add(text, "environment", settings.environment);
    add(text, "environment files", settings.environment_files);
    add(text, "unset", settings.unset_environment);
    add(text, "passed", settings.pass_environment);
    add(text, "set credentials", settings.set_credentials);
    for (const auto& [name, path] : settings.load_credentials)
        add(text, "credential", {name, path});
    for (const EncryptedCredential& one : settings.encrypted_credentials)
        add(text, "encrypted credential", {one.name, one.path});
    add(text, "user",
        {settings.user, settings.dynamic_user ? "dynamic" : "", settings.protect_home});
    return sha256_hex({"keyturn attestation", salt, text});
}

std::string write_attestation(const Attestation& attestation) {
    nlohmann::json files = nlohmann::json::array();
    for (const AttestedFile& file : attestation.files) files.push_back(to_json(file));
    const nlohmann::json json{
        {"version", version},       {"unit", attestation.unit},         {"date", attestation.date},
        {"salt", attestation.salt}, {"settings", attestation.settings}, {"files", files}};
    return json.dump(2) + '\n';
}

Result<Attestation> read_attestation(std::string_view text) {
    const auto wrong = [] {
        return Error{Fault::invalid, "it is not an attestation of this version", {}};
    };
    try {
        const auto json = nlohmann::json::parse(text);
        if (json.at("version") != version) return wrong();
        Attestation attestation{
            json.at("unit"), json.at("date"), json.at("salt"), json.at("settings"), {}};
        for (const auto& file : json.at("files")) attestation.files.push_back(file_of(file));
        return attestation;
    } catch (const nlohmann::json::exception&) {
        return wrong();
    }
}

std::optional<AttestedFile> look_at_file(const std::string& path) {
    AttestedFile file;
    file.path = path;
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        if (errno != ENOENT && errno != ENOTDIR) return std::nullopt;
        return file;
    }
    file.exists = true;
    file.device = status.st_dev;
    file.inode = status.st_ino;
    file.size = status.st_size;
    file.modified = moment(status.st_mtim);
    file.changed = moment(status.st_ctim);
    return file;
}

bool still_holds(const UnitSettings& settings, const Attestation& attestation) {
    return is_of(settings, attestation) &&
           std::ranges::all_of(attestation.files, [](const AttestedFile& file) {
               const auto now = look_at_file(file.path);
               return now && *now == file;
           });
}

void accept_attested(const UnitSettings& settings, const Attestation& attestation,
                     ConnectorFiles& files) {
    if (!is_of(settings, attestation)) return;
    std::erase_if(files.unseen, [&](const std::string& path) {
        const auto attested = std::ranges::find(attestation.files, path, &AttestedFile::path);
        if (attested == attestation.files.end()) return false;
        const auto now = look_at_file(path);
        return !now || *now == *attested;
    });
}

}  // namespace keyturn
