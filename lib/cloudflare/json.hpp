#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

/// JSON whose every block of memory is wiped before it is freed. For the .cpp files of this folder.
using WipedText = std::basic_string<char, std::char_traits<char>, WipingAllocator<char>>;
using Json = nlohmann::basic_json<std::map, std::vector, WipedText, bool, std::int64_t,
                                  std::uint64_t, double, WipingAllocator>;

inline constexpr int json_depth_max = 32;
inline constexpr int json_values_max = 20'000;

/// A parsed document. It has a type of its own because a `Json` converts from and to nearly
/// anything, an `Error` included.
struct JsonDocument {
    Json root;
};

/// The document, or a clause that says why not and never quotes it. Refused: anything that is not
/// JSON in UTF-8, a nesting deeper than `json_depth_max`, more than `json_values_max` values, and a
/// key that one object has twice, because readers disagree on which one counts.
[[nodiscard]] Result<JsonDocument> parse_json(std::string_view text);

/// True for HTML and its kind: what programs for people answer in place of the API.
[[nodiscard]] bool is_page(std::string_view text);

/// The member of that name, or nothing when there is none or `object` is no object.
[[nodiscard]] const Json* member(const Json& object, const char* name);

/// The string of that name, or "" when it is absent or not a string.
[[nodiscard]] std::string_view text_member(const Json& object, const char* name);

}  // namespace keyturn
