#pragma once

#include "base/result.hpp"
#include "rotation/record.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace keyturn {

/// A tunnel's state and what makes it one of a row of files.
struct StateDocument {
    std::string tunnel_name;
    std::int64_t sequence = 0;  ///< One more with each save.
    TunnelState state;

    bool operator==(const StateDocument&) const = default;
};

/// One line of JSON without a line feed. Moments are milliseconds since 1970, so nothing is lost.
[[nodiscard]] std::string encode_document(const StateDocument& document);
[[nodiscard]] std::string encode_history_entry(const HistoryEntry& entry);

/// The reverse, strict: each member there with its type, and none besides; a record that we would
/// understand by half is one that we do not understand. `Fault::invalid` names the member.
[[nodiscard]] Result<StateDocument> decode_document(std::string_view text);
[[nodiscard]] Result<HistoryEntry> decode_history_entry(std::string_view text);

}  // namespace keyturn
