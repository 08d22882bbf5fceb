#pragma once

#include "policy/problem_list.hpp"
#include "policy/source_text.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

struct DocumentEntry;

/// A part of a YAML document, with its place. Values stay text: `yes` and `1` are not interpreted.
struct DocumentNode {
    enum class Kind { null, scalar, list, map };

    Kind kind = Kind::null;
    Place place;
    std::string text;                 ///< Of a scalar.
    bool quoted = false;              ///< Written in quotes: never a number or a boolean.
    bool refused = false;             ///< A problem has been reported; do not report another one.
    std::vector<DocumentNode> items;  ///< Of a list.
    std::vector<DocumentEntry> entries;  ///< Of a map, in the order of the file, each key once.

    [[nodiscard]] const DocumentEntry* find(std::string_view key) const;
};

struct DocumentEntry {
    std::string key;
    Place key_place;
    DocumentNode value;
};

/// Parses a text into a document. Returns nothing if the text is empty or not YAML. Reports YAML
/// features that a policy does not use, because each of them can make a file mean something other
/// than it seems to say: duplicate keys, several documents, anchors and aliases, tags, keys that
/// are not plain words, and values that continue past the end of their line (where yaml-cpp also
/// hides a missing quote).
[[nodiscard]] std::optional<DocumentNode> parse_document(std::string_view text,
                                                         ProblemList& problems);

/// Merges maps key by key; any other value in `over` replaces the one in `base`.
void merge(DocumentNode& base, DocumentNode over);

}  // namespace keyturn
