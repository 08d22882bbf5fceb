#pragma once

#include "base/result.hpp"
#include "state/record_json.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace keyturn {

/// What state/TUNNEL.json consists of:
///   {"schema":1,"sha256":"64 digits","state":{...}}LF
/// The checksum is over the schema's digits, a line feed and the bytes of the state as they stand.
/// This envelope is the same in every schema: so a file of a newer version can be told from a
/// damaged one.
[[nodiscard]] std::string encode_state_file(const StateDocument& document);

/// What a file turned out to be.
struct StateFile {
    enum class Kind {
        absent,
        whole,
        damaged,
        newer,  ///< Whole, but a later version of keyturn wrote it.
    };
    Kind kind = Kind::absent;
    StateDocument document;  ///< For `whole`.
    std::string why;         ///< For `damaged`.
};

[[nodiscard]] StateFile decode_state_file(std::string_view tunnel_name, std::string_view text);

/// Which of the two files of a tunnel counts.
struct StateChoice {
    std::optional<StateDocument> document;  ///< Nothing: this tunnel has never been seen.
    bool current_is_good = false;           ///< The current file may become the previous one.
    std::string warning;                    ///< What an operator should hear; mostly empty.
};

/// The current one when it is whole and not older than the one before it, else the one before it.
/// `Fault::invalid` when there is something, but nothing to be trusted: never "nothing".
[[nodiscard]] Result<StateChoice> choose_state(const StateFile& current, const StateFile& previous);

}  // namespace keyturn
