#include "attested.hpp"

#include "changes.hpp"
#include "model/installed_names.hpp"
#include "setup/host_file.hpp"

#include <chrono>
#include <grp.h>
#include <sys/stat.h>

namespace keyturn {

namespace {

FileOwner readable_by_keyturnd() {
    constexpr mode_t mode = S_IRUSR | S_IWUSR | S_IRGRP;
    const group* const keyturn = ::getgrnam(keyturnd_user);
    return {mode, 0, keyturn == nullptr ? 0 : keyturn->gr_gid};
}

std::string today() {
    const auto now = std::chrono::floor<Milliseconds>(std::chrono::system_clock::now());
    constexpr std::size_t date_size = 10;
    return to_text(now).substr(0, date_size);
}

}  // namespace

Result<Attestation> attest_unit(Foreground& host, const std::string& unit,
                                const std::string& tunnel) {
    const auto settings = host.wait(host.units().settings(unit));
    if (!settings) return settings.error();
    auto attestation = attest(*settings, token_file_of(tunnel), today());
    if (!attestation) return attestation.error();
    const auto written = write_host_file(attestation_path(unit), write_attestation(*attestation),
                                         readable_by_keyturnd());
    if (!written) return written.error();
    return attestation;
}

}  // namespace keyturn
