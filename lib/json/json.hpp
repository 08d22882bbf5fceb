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

/// JSON that wipes each block of its memory before freeing it. Include it in .cpp files only: it is
/// large.
using WipedText = std::basic_string<char, std::char_traits<char>, WipingAllocator<char>>;
using Json = nlohmann::basic_json<std::map, std::vector, WipedText, bool, std::int64_t,
                                  std::uint64_t, double, WipingAllocator>;

/// Limits of keyturn's own, far above any real answer.
inline constexpr int json_depth_max = 32;
inline constexpr int json_values_max = 20'000;

/// A parsed document. It is a separate type because a `Json` converts to and from nearly anything,
/// even an `Error`.
struct JsonDocument {
    Json root;
};

/// Parses a document. An error is `Fault::invalid` with a clause that says why and never quotes the
/// text. Refuses anything that is not JSON in UTF-8, nesting deeper than `json_depth_max`, more
/// than `json_values_max` values, and a key that occurs twice in an object, because readers
/// disagree on which one counts.
[[nodiscard]] Result<JsonDocument> parse_json(std::string_view text);

/// True for HTML and the like, which proxies and firewalls send instead of the API's answer.
[[nodiscard]] bool is_page(std::string_view text);

/// The member of that name; null if there is none or `object` is not an object.
[[nodiscard]] const Json* member(const Json& object, const char* name);

/// The string of that name; "" if it is absent or not a string.
[[nodiscard]] std::string_view text_member(const Json& object, const char* name);

}  // namespace keyturn
