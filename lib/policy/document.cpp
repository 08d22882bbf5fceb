#include "policy/document.hpp"

#include "policy/suggestion.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <map>
#include <sstream>
#include <utility>

namespace keyturn {
namespace {

using Kind = DocumentNode::Kind;

Place place_in(const ProblemList& problems, const YAML::Mark& mark) {
    return {mark.line + 1, mark.column + 1, problems.file()};
}

/// True if `written` also contains the closing quote for the quote at its front.
bool quote_closes(std::string_view written) {
    const char quote = written.front();
    for (std::size_t at = 1; at < written.size(); ++at) {
        const bool doubled = quote == '\'' && written.substr(at, 2) == "''";
        const bool escaped = quote == '"' && written[at] == '\\';
        if (doubled || escaped) {
            ++at;
        } else if (written[at] == quote) {
            return true;
        }
    }
    return false;
}

/// Says what is wrong with a value that does not end on the line where it begins; empty if it does.
/// `written` is that line from the value on.
std::string complain_about_lines(const DocumentNode& scalar, std::string_view written) {
    if (written.empty()) return {};
    const char first = written.front();
    if (!scalar.quoted) {
        if (first == '&' || first == '!' || written.starts_with(scalar.text)) return {};
        return "this value continues on the next line; check the indentation there, and that every "
               "`:` has a space after it";
    }
    if (first == '|' || first == '>')
        return "a value must be on one line; write it without `|` or `>`";
    if ((first != '"' && first != '\'') || quote_closes(written)) return {};
    return fmt::format("the quote that begins here does not end on its line; add a `{}`", first);
}

/// Builds the tree from yaml-cpp's events: attaches each finished part to the open one around it.
class DocumentBuilder final : public YAML::EventHandler {
  public:
    explicit DocumentBuilder(ProblemList& problems) : problems_(problems) {}

    /// The tree; nothing if it is not what a person sees in the file, because every further problem
    /// would then miss the point.
    [[nodiscard]] std::optional<DocumentNode> take_root() {
        return misleading_ ? std::nullopt : std::move(root_);
    }

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (++documents_ == 2) {
            mislead(place_of(mark),
                    "a second document begins here; a policy must be a single document");
        }
    }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
        attach(node_at(mark, Kind::null));
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        refuse_anchor(mark);
        DocumentNode node = node_at(mark, Kind::null);
        node.refused = true;
        attach(std::move(node));
    }
    void OnAnchor(const YAML::Mark& mark, const std::string&) override { refuse_anchor(mark); }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  const std::string& value) override {
        check_tag(mark, tag);
        DocumentNode node = node_at(mark, Kind::scalar);
        node.text = value;
        node.quoted = tag == "!";
        std::string_view line = problems_.line_at(node.place);
        line.remove_prefix(std::min(static_cast<std::size_t>(mark.column), line.size()));
        if (std::string complaint = complain_about_lines(node, line); !complaint.empty()) {
            mislead(node.place, std::move(complaint));
        }
        attach(std::move(node));
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                         YAML::EmitterStyle::value) override {
        open(Kind::list, mark, tag);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                    YAML::EmitterStyle::value) override {
        open(Kind::map, mark, tag);
    }
    void OnMapEnd() override { close(); }

  private:
    /// A list or map whose end has not been seen yet.
    struct Open {
        DocumentNode node;
        bool expects_value = false;  ///< Of a map: `key` still lacks its value.
        std::string key;
        Place key_place;
        bool drop_value = false;            ///< The key was refused, so its value is dropped.
        std::map<std::string, int> seen{};  ///< Key to its line.
    };

    [[nodiscard]] Place place_of(const YAML::Mark& mark) const { return place_in(problems_, mark); }
    [[nodiscard]] DocumentNode node_at(const YAML::Mark& mark, Kind kind) const {
        DocumentNode node;
        node.kind = kind;
        node.place = place_of(mark);
        return node;
    }

    void open(Kind kind, const YAML::Mark& mark, const std::string& tag) {
        check_tag(mark, tag);
        open_.emplace_back().node = node_at(mark, kind);
    }

    void close() {
        DocumentNode node = std::move(open_.back().node);
        open_.pop_back();
        attach(std::move(node));
    }

    void attach(DocumentNode node) {
        if (open_.empty()) {
            if (documents_ == 1) root_ = std::move(node);
            return;
        }
        Open& around = open_.back();
        if (around.node.kind == Kind::list) {
            around.node.items.push_back(std::move(node));
        } else if (around.expects_value) {
            take_value(around, std::move(node));
        } else {
            take_key(around, node);
        }
    }

    void take_key(Open& map, const DocumentNode& node) {
        map.expects_value = true;
        map.key = node.text;
        map.key_place = node.place;
        map.drop_value = true;
        if (node.refused) return;
        if (node.kind != Kind::scalar) {
            problems_.add(node.place, "a key must be one word before the `:`");
            return;
        }
        const auto [first, is_new] = map.seen.emplace(node.text, node.place.line);
        if (!is_new) {
            problems_.add(node.place,
                          fmt::format("{} appears twice, first on line {}; keep one of them",
                                      in_backticks(node.text), first->second));
            return;
        }
        map.drop_value = false;
    }

    void take_value(Open& map, DocumentNode node) {
        map.expects_value = false;
        if (map.drop_value) return;
        // yaml-cpp reports a missing value at the place where the next thing begins.
        if (node.kind == Kind::null) node.place = map.key_place;
        map.node.entries.push_back({std::move(map.key), map.key_place, std::move(node)});
    }

    void check_tag(const YAML::Mark& mark, const std::string& tag) {
        // "?" and "!" stand for "no tag" on plain and on quoted values.
        if (tag.empty() || tag == "?" || tag == "!") return;
        problems_.add(place_of(mark),
                      "tags (!) are not allowed in a policy; write the value without one");
    }

    void refuse_anchor(const YAML::Mark& mark) {
        problems_.add(
            place_of(mark),
            "anchors (&) and aliases (*) are not allowed in a policy; write the value out, "
            "or put a text that begins with one of them in quotes");
    }

    void mislead(Place place, std::string text) {
        problems_.add(place, std::move(text));
        misleading_ = true;
    }

    ProblemList& problems_;
    std::optional<DocumentNode> root_;
    std::vector<Open> open_;
    int documents_ = 0;
    bool misleading_ = false;
};

/// Replaces yaml-cpp's messages, which are written for its authors and sometimes quote the input.
std::string sentence_for(std::string_view message, bool at_dash) {
    struct Translation {
        std::string_view message;
        std::string_view sentence;
    };
    static const std::array translations{
        Translation{YAML::ErrorMsg::MAP_VALUE,
                    "a `:` is not allowed here; check the indentation, and put a text that "
                    "contains `: ` in quotes"},
        Translation{YAML::ErrorMsg::MAP_KEY, "a key is not allowed here; check the indentation"},
        Translation{YAML::ErrorMsg::END_OF_MAP,
                    "the indentation matches no line above; align it with the keys it belongs to"},
        Translation{YAML::ErrorMsg::END_OF_SEQ,
                    "the indentation matches no item above; align the `-` of a list"},
        Translation{YAML::ErrorMsg::END_OF_MAP_FLOW,
                    "a `{` above is not closed; add a `}` or a `,`"},
        Translation{YAML::ErrorMsg::END_OF_SEQ_FLOW,
                    "a `[` above is not closed; add a `]` or a `,`"},
        Translation{YAML::ErrorMsg::FLOW_END,
                    "this bracket closes nothing of its kind; check the brackets before it"},
        Translation{YAML::ErrorMsg::BLOCK_ENTRY,
                    "a `-` is not allowed here; check the indentation"},
        Translation{YAML::ErrorMsg::UNKNOWN_TOKEN,
                    "a value cannot begin with this character; put the value in quotes"},
        Translation{YAML::ErrorMsg::UNKNOWN_ANCHOR,
                    "a text that begins with `*` needs quotes, such as \"*\""},
        Translation{YAML::ErrorMsg::ALIAS_NOT_FOUND,
                    "a text that begins with `*` needs quotes, such as \"*\""},
        Translation{YAML::ErrorMsg::INVALID_ESCAPE,
                    "unknown escape after `\\`; write `\\\\`, or use single quotes"},
    };
    if (at_dash) message = YAML::ErrorMsg::BLOCK_ENTRY;
    for (const Translation& translation : translations) {
        if (message.starts_with(translation.message)) return std::string{translation.sentence};
    }
    return "this is not valid YAML; check quotes, brackets and indentation";
}

}  // namespace

const DocumentEntry* DocumentNode::find(std::string_view key) const {
    const auto found = std::ranges::find(entries, key, &DocumentEntry::key);
    return found == entries.end() ? nullptr : &*found;
}

std::optional<DocumentNode> parse_document(std::string_view text, ProblemList& problems) {
    DocumentBuilder builder(problems);
    std::istringstream stream{std::string{text}};
    try {
        YAML::Parser parser(stream);
        if (parser.HandleNextDocument(builder)) parser.HandleNextDocument(builder);
        return builder.take_root();
    } catch (const YAML::Exception& exception) {
        const Place place = place_in(problems, exception.mark);
        const std::string_view line = problems.line_at(place);
        const auto first = line.find_first_not_of(' ');
        const bool at_dash =
            first != std::string_view::npos && line.substr(first).starts_with("- ");
        problems.add(place, sentence_for(exception.msg, at_dash));
    } catch (const std::exception&) {
        problems.add({0, 0, problems.file()}, "this is not valid YAML");
    }
    return std::nullopt;
}

void merge(DocumentNode& base, DocumentNode over) {
    if (base.kind != Kind::map || over.kind != Kind::map) {
        base = std::move(over);
        return;
    }
    for (DocumentEntry& entry : over.entries) {
        const auto below = std::ranges::find(base.entries, entry.key, &DocumentEntry::key);
        if (below == base.entries.end()) {
            base.entries.push_back(std::move(entry));
            continue;
        }
        below->key_place = entry.key_place;
        merge(below->value, std::move(entry.value));
    }
}

}  // namespace keyturn
