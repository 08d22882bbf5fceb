#include "doctor/unit_look.hpp"

#include "cloudflared/attestation.hpp"
#include "cloudflared/cloudflared_command.hpp"
#include "cloudflared/configuration_file.hpp"
#include "cloudflared/connectors.hpp"
#include "doctor/service_look.hpp"
#include "http/http_client.hpp"
#include "model/installed_names.hpp"
#include "setup/foreground.hpp"
#include "setup/host_file.hpp"
#include "setup/token_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <pwd.h>
#include <sys/stat.h>

namespace keyturn {

namespace {

constexpr mode_t readable_by_others = S_IRGRP | S_IROTH;

std::string without_dash(const std::string& path) {
    return path.substr(path.starts_with('-') ? 1 : 0);
}

/// True if the path names one existing thing, or cannot be checked: a specifier, a pattern.
bool exists(const std::string& path, const std::string& root) {
    if (!path.starts_with('/') || path.find_first_of("*?[%") != std::string::npos) return true;
    std::error_code error;
    return std::filesystem::exists(root + path, error) || error;
}

bool is_met(const UnitCondition& condition, const std::string& root) {
    const std::string& type = condition.type;
    if (condition.negate || condition.trigger) return true;
    if (type.ends_with("FileNotEmpty")) {
        struct stat status {};
        const std::string path = root + condition.parameter;
        if (condition.parameter.find('%') != std::string::npos) return true;
        return ::stat(path.c_str(), &status) == 0 && status.st_size > 0;
    }
    if (type.ends_with("PathExists") || type.ends_with("PathIsDirectory"))
        return exists(condition.parameter, root);
    return true;
}

/// True if the two processes see the same network.
bool same_network(const std::string& process, const std::string& other) {
    std::error_code error;
    const auto left = std::filesystem::read_symlink("/proc/" + process + "/ns/net", error);
    const auto right = std::filesystem::read_symlink("/proc/" + other + "/ns/net", error);
    return error || left == right;
}

class Exposure {
  public:
    Exposure(const UnitSettings& settings, std::string tunnel)
        : owner_(settings.user.empty() ? "root" : settings.user), tunnel_(std::move(tunnel)) {}

    /// `read_by_systemd`: the unit's own user need not read it.
    void add(const std::string& path, bool unit_file, bool read_by_systemd) {
        const bool known = std::ranges::find(found, path, &ExposedFile::path) != found.end();
        if (known || !path.starts_with('/') || path.starts_with("/run/credentials/")) return;
        const auto file = read_host_file(path);
        if (!file || !*file) return;
        if (!unit_file && ((*file)->owner.mode & readable_by_others) == 0) return;
        const auto token = find_token((*file)->text.reveal(), tunnel_);
        if (!token) return;
        found.push_back(
            {path, read_by_systemd ? "root" : owner_, unit_file, fingerprint_of(token->token)});
    }

    std::vector<ExposedFile> found;

  private:
    std::string owner_;
    std::string tunnel_;
};

/// Whether keyturnd may do what these bits say, as a user of its own.
bool lets_keyturnd(const struct stat& status, mode_t of_group, mode_t of_others) {
    if ((status.st_mode & of_others) != 0) return true;
    const passwd* const user = ::getpwnam(keyturnd_user);
    return user != nullptr && status.st_gid == user->pw_gid && (status.st_mode & of_group) != 0;
}

/// True if keyturnd cannot read the file, or cannot tell whether there is one. It has
/// ProtectHome=yes.
bool is_hidden_from_keyturnd(const std::string& path, const std::string& root) {
    if (path.starts_with("/root/") || path.starts_with("/home/")) return true;
    struct stat status {};
    for (std::size_t end = path.find('/', 1); end != std::string::npos;
         end = path.find('/', end + 1)) {
        if (::stat((root + path.substr(0, end)).c_str(), &status) != 0) return false;
        if (!lets_keyturnd(status, S_IXGRP, S_IXOTH)) return true;
    }
    if (::stat((root + path).c_str(), &status) != 0) return false;
    return !lets_keyturnd(status, S_IRGRP, S_IROTH);
}

UnitSeen seen_of(SurveyedUnit& unit, ServiceLook& services) {
    UnitSeen seen;
    seen.settings = std::move(unit.settings);
    seen.state = std::move(unit.state);
    seen.files = std::move(unit.files);
    seen.obstacle = std::move(unit.obstacle);
    seen.service = services.service(seen.name());
    seen.running_origin = unit.running.origin;
    seen.running_path = unit.running.path;
    if (unit.running.token) {
        seen.running_fingerprint = fingerprint_of(*unit.running.token);
        seen.running_tunnel = unit.running.token->tunnel;
    }
    seen.contained = std::ranges::any_of(seen.settings.exec_start, [](const auto& arguments) {
        return !container_program(arguments).empty();
    });
    if (seen.state.main_pid != 0)
        seen.other_network = !same_network(fmt::format("{}", seen.state.main_pid), "1");
    seen.lost_files = lost_files_of(seen.settings);
    seen.exposed = exposed_files_of(seen.settings, seen.files, seen.running_tunnel);
    seen.attestation_problem = attestation_problem_of(seen.settings);
    return seen;
}

Task<std::optional<std::string>> published_at(std::string address) {
    if (address.empty()) co_return std::nullopt;
    co_return address;
}

}  // namespace

std::string attestation_problem_of(const UnitSettings& settings, const std::string& root) {
    const auto paths = configuration_paths(settings);
    const std::string place = root + attestation_path(settings.name);
    const auto file = read_host_file(place);
    if (!file) return file.error().text;
    if (!*file) {
        const auto hidden = std::ranges::find_if(
            paths, [&](const std::string& path) { return is_hidden_from_keyturnd(path, root); });
        if (hidden == paths.end()) return {};
        return fmt::format("keyturnd cannot look at {}, and root has not looked at it", *hidden);
    }
    const auto attestation = read_attestation((*file)->text.reveal());
    if (!attestation) return fmt::format("{}: {}", place, attestation.error().text);
    if (attestation->settings != settings_digest(settings, attestation->salt))
        return fmt::format("its settings changed after {}", attestation->date);
    for (const std::string& path : paths) {
        const auto seen = std::ranges::find(attestation->files, path, &AttestedFile::path);
        const auto now = look_at_file(path);
        if (seen == attestation->files.end() || !now || *now != *seen)
            return fmt::format("{} changed after {}", path, attestation->date);
    }
    return {};
}

std::vector<LostFile> lost_files_of(const UnitSettings& settings, const std::string& root) {
    std::vector<LostFile> lost;
    const auto add = [&](const std::string& setting, const std::string& path) {
        if (!exists(path, root)) lost.push_back({setting, path});
    };
    for (const std::string& file : settings.environment_files)
        if (!file.starts_with('-')) add("EnvironmentFile", file);
    // systemd starts the unit with what SetCredential= has instead.
    const auto has_default = [&](const std::string& name) {
        return std::ranges::find(settings.set_credentials, name) != settings.set_credentials.end();
    };
    for (const auto& [name, path] : settings.load_credentials)
        if (!has_default(name)) add("LoadCredential", path);
    for (const EncryptedCredential& credential : settings.encrypted_credentials)
        if (!has_default(credential.name)) add("LoadCredentialEncrypted", credential.path);
    for (const UnitCondition& condition : settings.conditions)
        if (!is_met(condition, root)) lost.push_back({condition.type, condition.parameter});
    return lost;
}

std::vector<ExposedFile> exposed_files_of(const UnitSettings& settings, const ConnectorFiles& files,
                                          const std::string& tunnel) {
    Exposure exposure(settings, tunnel);
    for (const std::string& file : settings.files) exposure.add(file, true, true);
    for (const std::string& file : settings.environment_files)
        exposure.add(without_dash(file), false, true);
    for (const auto& [name, path] : settings.load_credentials) exposure.add(path, false, true);
    const ConfigurationFile& configuration = files.configuration;
    for (const std::string& path :
         {configuration.path, configuration.token_file, configuration.credentials_file,
          token_source_of(settings, files).path})
        exposure.add(path, false, false);
    exposure.add("/etc/cloudflared/token", false, settings.user.empty());
    return std::move(exposure.found);
}

std::vector<UnitSeen> look_at_units(Foreground& host, ServiceLook& services,
                                    std::vector<SurveyedUnit>& units,
                                    const std::map<std::string, std::string>& metrics_addresses) {
    const auto http = make_http_client(host.context().get_executor(), connector_http_options());
    std::map<std::string, std::string> addresses;
    MetricsAddresses known;
    known.published = [&](const std::string& unit) { return published_at(addresses[unit]); };
    const auto connectors = make_connectors(*http, known);
    std::vector<UnitSeen> all;
    std::vector<std::size_t> asked;
    std::vector<Task<Result<Readiness>>> questions;
    for (SurveyedUnit& unit : units) {
        UnitSeen seen = seen_of(unit, services);
        for (const std::string& name : seen.settings.names) {
            const auto found = metrics_addresses.find(name);
            if (found != metrics_addresses.end()) seen.metrics_address = found->second;
        }
        addresses[seen.state.name] = seen.metrics_address;
        all.push_back(std::move(seen));
        if (!all.back().state.running()) continue;
        asked.push_back(all.size() - 1);
        questions.push_back(connectors->readiness(all.back().state));
    }
    const auto answers = host.wait_for_all(std::move(questions));
    for (std::size_t i = 0; i < asked.size(); ++i) {
        if (!answers[i]) continue;
        all[asked[i]].connector = answers[i]->connector_id;
        all[asked[i]].connections = answers[i]->connections;
    }
    return all;
}

}  // namespace keyturn
