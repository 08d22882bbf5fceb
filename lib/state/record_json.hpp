#pragma once

#include "base/result.hpp"
#include "rotation/record.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace keyturn {

/// A tunnel's state and its place in the sequence of saved files.
struct StateDocument {
    std::string tunnel_name;
    std::int64_t sequence = 0;  ///< Grows by one with each save.
    TunnelState state;

    bool operator==(const StateDocument&) const = default;
};

/// One line of JSON without a line feed. Times are in milliseconds since 1970, so nothing is lost.
[[nodiscard]] std::string encode_document(const StateDocument& document);
[[nodiscard]] std::string encode_history_entry(const HistoryEntry& entry);

/// The reverse, and strict: every member must be there with its type, and no others, because a
/// half-understood record is not understood at all. Fails with `Fault::invalid` and names the
/// member.
[[nodiscard]] Result<StateDocument> decode_document(std::string_view text);
[[nodiscard]] Result<HistoryEntry> decode_history_entry(std::string_view text);

}  // namespace keyturn
