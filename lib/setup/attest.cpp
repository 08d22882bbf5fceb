#include "setup/attest.hpp"

#include "cloudflared/configuration_file.hpp"
#include "setup/host_file.hpp"
#include "token/digest.hpp"
#include "token/random.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cerrno>

namespace keyturn {

namespace {

constexpr std::size_t salt_size = 16;

}  // namespace

Result<Attestation> attest(const UnitSettings& settings, const std::string& token_file,
                           const std::string& date) {
    if (settings.need_daemon_reload) {
        return Error{Fault::denied,
                     fmt::format("the file of {} changed, and systemd has not read it: run "
                                 "systemctl daemon-reload",
                                 settings.name),
                     {}};
    }
    const auto problem = token_source_problem(settings, token_file, look_at_files(settings));
    if (problem) return Error{Fault::denied, fmt::format("{}: {}", settings.name, *problem), {}};
    const auto salt = make_random()->bytes(salt_size);
    if (!salt) return salt.error();
    Attestation attestation;
    attestation.unit = settings.name;
    attestation.date = date;
    attestation.salt = sha256_hex({salt->reveal()});
    attestation.settings = settings_digest(settings, attestation.salt);
    for (const std::string& path : configuration_paths(settings)) {
        const auto file = look_at_file(path);
        if (!file) return errno_error(errno, "cannot look at " + path);
        attestation.files.push_back(*file);
    }
    return attestation;
}

std::string text_of(const Attestation& attestation) {
    std::vector<std::string> seen;
    std::vector<std::string> absent;
    for (const AttestedFile& file : attestation.files)
        (file.exists ? seen : absent).push_back(file.path);
    std::string text = fmt::format(
        "Root has looked at {} again: nothing overrides keyturn's token file.", attestation.unit);
    if (!seen.empty()) text += fmt::format(" Accepted as it is: {}.", fmt::join(seen, ", "));
    if (!absent.empty()) text += fmt::format(" Not there: {}.", fmt::join(absent, ", "));
    return text;
}

bool is_attested(const UnitSettings& settings) {
    const auto file = read_host_file(attestation_path(settings.name));
    if (!file || !*file) return false;
    const auto attestation = read_attestation((*file)->text.reveal());
    return attestation && still_holds(settings, *attestation);
}

}  // namespace keyturn
