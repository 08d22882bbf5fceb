#pragma once

#include "base/result.hpp"
#include "state/record_json.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace keyturn {

/// Writes the content of state/TUNNEL.json: the document in an envelope (envelope.hpp).
[[nodiscard]] std::string encode_state_file(const StateDocument& document);

/// What a state file turned out to be.
struct StateFile {
    enum class Kind {
        absent,
        whole,
        damaged,
        newer,  ///< Whole, but written by a later version of keyturn.
    };
    Kind kind = Kind::absent;
    StateDocument document;  ///< For `whole`.
    std::string why;         ///< For `damaged`.
};

[[nodiscard]] StateFile decode_state_file(std::string_view tunnel_name, std::string_view text);

/// Which of the two files of a tunnel counts.
struct StateChoice {
    std::optional<StateDocument> document;  ///< Nothing if this tunnel has never been seen.
    bool current_is_good = false;           ///< The current file may become the previous one.
    std::string warning;                    ///< A message for the operator; mostly empty.
};

/// Chooses the current file if it is whole and not older than the previous one, otherwise the
/// previous one. Fails with `Fault::invalid` if there is something but nothing that can be trusted;
/// it never reports that as "nothing".
[[nodiscard]] Result<StateChoice> choose_state(const StateFile& current, const StateFile& previous);

}  // namespace keyturn
