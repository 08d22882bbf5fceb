#include "doctor/policy_look.hpp"

#include "cloudflare/api_token_text.hpp"
#include "doctor/remedy.hpp"
#include "doctor/unit_look.hpp"
#include "model/installed_names.hpp"
#include "setup/command.hpp"
#include "setup/foreground.hpp"
#include "setup/host_file.hpp"
#include "token/token.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <pwd.h>
#include <sys/stat.h>

namespace keyturn {

namespace {

constexpr const char* host_key_path = "/var/lib/systemd/credential.secret";
constexpr mode_t private_mode = 0600;
constexpr mode_t others = S_IRWXG | S_IRWXO;

/// Where keyturnd gets a credential from.
void find_place(const CredentialSource& source, const UnitSettings& settings,
                CredentialSeen& seen) {
    if (!source.file.empty()) {
        seen.path = source.file;
        seen.owner = keyturnd_user;
        return;
    }
    seen.path = "/etc/keyturn/" + source.credential;
    for (const auto& [name, path] : settings.load_credentials)
        if (name == source.credential) seen.path = path;
    for (const EncryptedCredential& credential : settings.encrypted_credentials) {
        if (credential.name != source.credential) continue;
        seen.path = credential.path;
        seen.encrypted = true;
    }
}

Result<Secret> token_text(const CredentialSource& source, const CredentialSeen& seen) {
    if (seen.encrypted) {
        return run_or_fail(
            {"systemd-creds", "decrypt", "--name=" + source.credential, seen.path, "-"});
    }
    auto file = read_host_file(seen.path);
    if (!file) return file.error();
    if (!*file) return Error{Fault::missing, seen.path + " does not exist", {}};
    return std::move((*file)->text);
}

CredentialLook look_at_credential(const std::string& name, const CredentialSource& source,
                                  const UnitSettings& settings) {
    CredentialLook look;
    CredentialSeen& seen = look.seen;
    seen.name = name;
    find_place(source, settings, seen);
    struct stat status {};
    if (::stat(seen.path.c_str(), &status) != 0) {
        seen.exists = false;
        return look;
    }
    if ((status.st_mode & others) != 0)
        seen.open = fmt::format("{} has mode {:o}: other users can read it", seen.path,
                                status.st_mode & ALLPERMS);
    const auto text = token_text(source, seen);
    if (!text) {
        seen.unreadable = text.error().text;
        seen.host_key = !seen.encrypted || std::filesystem::exists(host_key_path);
        return look;
    }
    const auto found = find_api_token(text->reveal());
    if (!found) {
        seen.unreadable = fmt::format("{} {}", seen.path, found.error().text);
        return look;
    }
    look.api_token = Secret::copy_of(*found);
    return look;
}

/// Sorts an entry of `units:` that stands for nothing.
void look_at_entry(Foreground& host, const std::string& entry, TunnelSeen& seen) {
    const auto units = host.wait(host.units().expand({entry}));
    if (!units) return;
    if (units->empty()) seen.lost_units.push_back(entry);
    for (const NamedUnit& unit : *units) {
        const auto state = host.wait(host.units().state(unit.id));
        const bool missing = !state && state.error().fault == Fault::missing;
        if (!state && !missing) continue;
        if (state && state->loaded()) continue;
        if (state && state->load_state == "masked")
            seen.masked_units.push_back(unit.id);
        else
            seen.lost_units.push_back(entry);
    }
}

std::string policy_path_of(const std::string& tunnel) {
    std::string path = fmt::format("/etc/keyturn/keyturn.d/{}.yaml", tunnel);
    return std::filesystem::exists(path) ? path : "/etc/keyturn/keyturn.yaml";
}

}  // namespace

std::vector<CredentialLook> look_at_credentials(const CloudflarePolicy& policy,
                                                const UnitSettings& settings) {
    std::vector<CredentialLook> looks;
    for (const auto& [name, source] : policy.credentials)
        looks.push_back(look_at_credential(name, source, settings));
    return looks;
}

Result<Secret> text_of_credential(const CredentialSource& source, const UnitSettings& settings) {
    CredentialSeen seen;
    find_place(source, settings, seen);
    return token_text(source, seen);
}

TunnelSeen look_at_tunnel(Foreground& host, const TunnelPolicy& policy) {
    TunnelSeen seen;
    seen.name = policy.name;
    seen.account = policy.account;
    seen.tunnel = policy.tunnel;
    seen.credential = policy.credential;
    seen.policy_path = policy_path_of(policy.name);
    seen.min_available = policy.rollout.min_available;
    seen.fleet = policy.coordinator.has_value();
    seen.surge = policy.rollout.surge == SurgeUse::automatic;
    seen.accept_gap = policy.rollout.accept_gap;
    for (const std::string& entry : policy.units) look_at_entry(host, entry, seen);
    const auto surge = host.wait(host.units().state(surge_unit_of(policy.name)));
    seen.surge_unit = surge && surge->loaded();
    if (seen.surge && seen.surge_unit) {
        const auto settings = host.wait(host.units().settings(surge_unit_of(policy.name)));
        if (settings) seen.surge_attestation_problem = attestation_problem_of(*settings);
    }
    const passwd* const user = ::getpwnam(keyturnd_user);
    if (user != nullptr) seen.file = look_at_token_file(token_file_of(policy.name), user->pw_uid);
    return seen;
}

TokenFileSeen look_at_token_file(const std::string& path, unsigned owner) {
    TokenFileSeen seen;
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) {
        seen.exists = errno != ENOENT && errno != ENOTDIR;
        if (seen.exists) seen.problem = errno_error(errno, "it cannot be read").text;
        return seen;
    }
    if (!S_ISREG(status.st_mode))
        seen.problem = "it is no regular file";
    else if (status.st_uid != owner)
        seen.problem = "it does not belong to the user keyturn";
    else if ((status.st_mode & ALLPERMS) != private_mode)
        seen.problem = fmt::format("it has mode {:o} instead of 600", status.st_mode & ALLPERMS);
    else if (status.st_nlink != 1)
        seen.problem = "it has a second name (a hard link)";
    if (!seen.problem.empty()) return seen;
    const auto file = read_host_file(path);
    if (!file || !*file) return seen;
    const auto token = decode_token((*file)->text.reveal());
    if (!token) {
        seen.problem = token.error().text;
        return seen;
    }
    seen.fingerprint = fingerprint_of(*token);
    seen.tunnel = token->tunnel;
    return seen;
}

}  // namespace keyturn
