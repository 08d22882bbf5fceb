#pragma once

#include "policy/problem_list.hpp"
#include "policy/source_text.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

struct DocumentEntry;

/// A part of a YAML document, with its place. Nothing is interpreted here: `yes` and `1` are texts.
struct DocumentNode {
    enum class Kind { null, scalar, list, map };

    Kind kind = Kind::null;
    Place place;
    std::string text;      ///< Of a scalar.
    bool quoted = false;   ///< Written in quotes: never a number or a boolean.
    bool refused = false;  ///< A problem has been reported; nothing more is to be said about it.
    std::vector<DocumentNode> items;     ///< Of a list.
    std::vector<DocumentEntry> entries;  ///< Of a map, in the order of the file, each key once.

    [[nodiscard]] const DocumentEntry* find(std::string_view key) const;
};

struct DocumentEntry {
    std::string key;
    Place key_place;
    DocumentNode value;
};

/// Text to document. What a policy has no use for is a problem, because each of them can make a
/// file mean something else than it seems to say: duplicate keys, several documents, anchors and
/// aliases, tags, keys that are no words, and values that go on over the end of their line (where
/// yaml-cpp also hides a missing quote). Nothing when the text is no YAML or empty.
[[nodiscard]] std::optional<DocumentNode> parse_document(std::string_view text,
                                                         ProblemList& problems);

/// Joins maps key by key; everything else of `over` takes the place of what is in `base`.
void merge(DocumentNode& base, DocumentNode over);

}  // namespace keyturn
