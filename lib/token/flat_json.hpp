#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"

#include <initializer_list>
#include <string_view>
#include <utility>
#include <vector>

namespace keyturn {

/// A JSON object whose interesting members are strings, such as a decoded token. It is read from
/// and written to memory that is wiped. A JSON library would keep copies in buffers that it frees
/// without wiping, and would quote them in its errors.
class FlatJson {
  public:
    struct Member {
        Secret key;
        Secret value;  ///< Empty if it is not a string.
        bool is_text = true;
    };

    /// Reads the members of the object in `text`, in their order. Fails with `Fault::invalid` for
    /// anything but white space after the object, too much depth or too many members, a control
    /// character in a string, or broken UTF-16 escapes. The text of the error never quotes the
    /// input.
    [[nodiscard]] static Result<FlatJson> read(std::string_view text);

    [[nodiscard]] const std::vector<Member>& members() const { return members_; }

    /// The text under `key`; null if there is none, more than one, or it is not a string.
    [[nodiscard]] const Secret* find(std::string_view key) const;

  private:
    std::vector<Member> members_;
};

/// Writes an object with these members, in this order, without white space.
[[nodiscard]] Secret write_flat_json(
    std::initializer_list<std::pair<std::string_view, std::string_view>> members);

inline constexpr std::size_t flat_json_members_max = 32;
inline constexpr int flat_json_depth_max = 8;

}  // namespace keyturn
