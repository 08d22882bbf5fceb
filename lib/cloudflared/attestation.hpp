#pragma once

#include "base/result.hpp"
#include "cloudflared/token_source.hpp"
#include "model/unit_state.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

/// A file as root has seen it. The times are in nanoseconds since 1970, as the kernel keeps them.
struct AttestedFile {
    std::string path;
    bool exists = false;
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t size = 0;
    std::int64_t modified = 0;
    std::int64_t changed = 0;

    bool operator==(const AttestedFile&) const = default;
};

/// What root has seen of a unit that keyturnd may not read, such as a config.yml in /root: nothing
/// there overrides keyturn's token file. It counts as long as neither the unit nor the files have
/// changed.
struct Attestation {
    std::string unit;
    std::string date;      ///< "2026-11-28", for a person.
    std::string salt;      ///< Random, so that nobody can guess settings by their digest.
    std::string settings;  ///< `settings_digest`.
    std::vector<AttestedFile> files;

    bool operator==(const Attestation&) const = default;
};

/// Where root puts it: it belongs to root, and keyturnd may read it.
[[nodiscard]] std::string attestation_path(const std::string& unit);

/// A digest of the settings that decide where a unit takes its token from. Pure.
[[nodiscard]] std::string settings_digest(const UnitSettings& settings, const std::string& salt);

[[nodiscard]] std::string write_attestation(const Attestation& attestation);

/// `invalid` for anything that `write_attestation` does not write.
[[nodiscard]] Result<Attestation> read_attestation(std::string_view text);

/// Looks at a file without reading it; nothing if this process may not look there.
[[nodiscard]] std::optional<AttestedFile> look_at_file(const std::string& path);

/// True if the unit's settings and all of the files are as they were.
[[nodiscard]] bool still_holds(const UnitSettings& settings, const Attestation& attestation);

/// Takes out of `files.unseen` what the attestation covers. Where this process may look at a file,
/// it must be as it was. Does nothing if the unit's settings have changed.
void accept_attested(const UnitSettings& settings, const Attestation& attestation,
                     ConnectorFiles& files);

}  // namespace keyturn
