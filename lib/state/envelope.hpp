#pragma once

#include <string>
#include <string_view>

namespace keyturn {

/// Puts JSON into the text of a file of keyturn:
///   {"schema":1,"sha256":"64 digits","state":{...}}LF
/// The checksum covers the schema's digits, a line feed and the exact bytes of the JSON. This
/// envelope is the same in every schema, so a file of a newer version can be told from a damaged
/// one.
[[nodiscard]] std::string in_envelope(int schema, std::string_view json);

/// What such a text contains.
struct Envelope {
    int schema = 0;         ///< At least 1.
    std::string_view json;  ///< A part of the text.
    std::string damage;     ///< What is wrong with the text; empty if it is whole.
};

[[nodiscard]] Envelope open_envelope(std::string_view text);

}  // namespace keyturn
