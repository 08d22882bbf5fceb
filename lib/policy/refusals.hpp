#pragma once

#include "policy/document.hpp"
#include "policy/draft.hpp"
#include "policy/key_table.hpp"
#include "policy/problem_list.hpp"
#include "policy/target.hpp"

#include <string_view>

namespace keyturn {

/// "nested keys", "a list" and so on.
[[nodiscard]] std::string_view word_for(DocumentNode::Kind kind);

/// Says what is wrong with a key of the document, in words for its author, and keeps secrets out of
/// these words. Lives for one parse.
class Refusals {
  public:
    explicit Refusals(ProblemList& problems) : problems_(problems) {}

    void unknown_key(const DocumentEntry& entry, KeyScope scope);

    /// `place` is that of the section. Nothing is missing that `defaults` has.
    void missing_key(const KeySpec& spec, Place place, KeyScope scope, const Cursor& cursor);

    /// The value is no text, list or map, whichever the key takes. `tunnel` may be null.
    void wrong_type(const KeySpec& spec, const DocumentEntry& entry, TunnelDraft* tunnel);

    /// `text` completes "`KEY` ...". `tunnel` may be null.
    void wrong_value(const KeySpec& spec, TunnelDraft* tunnel, Place place, std::string_view text);

    /// Keeps a refused value out of excerpts if it may contain a password.
    void hide_password(const KeySpec& spec, const DocumentNode& value);

    /// Keeps all values in `node` out of excerpts.
    void hide_values(const DocumentNode& node);

  private:
    ProblemList& problems_;
};

}  // namespace keyturn
