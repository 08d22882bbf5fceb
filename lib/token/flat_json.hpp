#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"

#include <initializer_list>
#include <string_view>
#include <utility>
#include <vector>

namespace keyturn {

/// A JSON object whose interesting members are strings, such as what a token decodes to, read from
/// and written to memory that is wiped. A JSON library would keep copies of what it has read in
/// buffers that it frees as they are, and quote it in its errors.
class FlatJson {
  public:
    struct Member {
        Secret key;
        Secret value;  ///< Empty where it is no string.
        bool is_text = true;
    };

    /// The members of the object that `text` is, in their order. Anything after the object but
    /// white space, a depth or a number of members past the limits, a control character in a string
    /// or broken UTF-16 escapes are `Fault::invalid`; the text of the error never quotes the input.
    [[nodiscard]] static Result<FlatJson> read(std::string_view text);

    [[nodiscard]] const std::vector<Member>& members() const { return members_; }

    /// The text under `key`: nothing when there is none, or more than one, or it is no text.
    [[nodiscard]] const Secret* find(std::string_view key) const;

  private:
    std::vector<Member> members_;
};

/// The object with these members, in this order, without white space.
[[nodiscard]] Secret write_flat_json(
    std::initializer_list<std::pair<std::string_view, std::string_view>> members);

inline constexpr std::size_t flat_json_members_max = 32;
inline constexpr int flat_json_depth_max = 8;

}  // namespace keyturn
