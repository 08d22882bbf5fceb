#include "journal/entry.hpp"
#include "journal/event.hpp"
#include "unit/journal/all_event_kinds.hpp"
#include "unit/shipped_file.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace keyturn {
namespace {

struct CatalogEntry {
    std::map<std::string, std::string> headers;
    std::vector<std::string> paragraphs;
};

/// Reads the catalog as journalctl --update-catalog does: comments, then entries "-- ID", header
/// lines, an empty line, text. What that would refuse fails the test.
class Catalog {
  public:
    explicit Catalog(const std::string& text) {
        std::istringstream file(text);
        std::string line;
        while (std::getline(file, line)) take(line);
    }

    std::map<std::string, CatalogEntry> entries;

  private:
    void take(const std::string& line) {
        EXPECT_LE(line.size(), 100U) << line;
        if (line.starts_with("-- ")) {
            begin(line.substr(3));
        } else if (entry_ == nullptr) {
            EXPECT_TRUE(line.empty() || line.starts_with("#")) << line;
        } else if (line.empty()) {
            in_headers_ = false;
            in_paragraph_ = false;
        } else if (in_headers_) {
            const std::size_t colon = line.find(": ");
            ASSERT_NE(colon, std::string::npos) << line;
            entry_->headers[line.substr(0, colon)] = line.substr(colon + 2);
        } else {
            if (!in_paragraph_) entry_->paragraphs.emplace_back();
            std::string& paragraph = entry_->paragraphs.back();
            paragraph += (paragraph.empty() ? "" : " ") + line;
            in_paragraph_ = true;
        }
    }

    void begin(const std::string& id) {
        EXPECT_EQ(id.size(), 32U) << id;
        EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos) << id;
        EXPECT_FALSE(entries.contains(id)) << id << " is there twice";
        entry_ = &entries[id];
        in_headers_ = true;
        in_paragraph_ = false;
    }

    CatalogEntry* entry_ = nullptr;
    bool in_headers_ = false;
    bool in_paragraph_ = false;
};

class CatalogTest : public testing::Test {
  protected:
    const CatalogEntry& entry_of(EventKind kind) {
        const auto found = catalog_.entries.find(std::string(message_id_of(kind)));
        EXPECT_NE(found, catalog_.entries.end()) << "no entry for " << name_of(kind);
        return found == catalog_.entries.end() ? nothing_ : found->second;
    }

    Catalog catalog_{shipped::text_of("systemd/keyturn.catalog")};
    CatalogEntry nothing_;
};

TEST_F(CatalogTest, HasOneEntryForEachKindAndNoOther) {
    for (const EventKind kind : all_event_kinds()) entry_of(kind);
    EXPECT_EQ(catalog_.entries.size(), all_event_kinds().size());
}

TEST_F(CatalogTest, HasTheHeadersThatJournalctlShows) {
    std::set<std::string> subjects;
    for (const EventKind kind : all_event_kinds()) {
        std::map<std::string, std::string> headers = entry_of(kind).headers;
        EXPECT_EQ(headers["Defined-By"], "keyturnd");
        EXPECT_EQ(headers["Support"], "man:keyturnd(8)");
        EXPECT_THAT(headers["Documentation"],
                    testing::AnyOf("man:keyturnd(8)", "man:keyturn-fleet(7)"));
        EXPECT_NE(headers["Subject"], "") << name_of(kind);
        subjects.insert(headers["Subject"]);
    }
    EXPECT_EQ(subjects.size(), all_event_kinds().size());
}

TEST_F(CatalogTest, SaysWhatHappenedWhatIsSafeAndWhatToDo) {
    for (const EventKind kind : all_event_kinds()) {
        const CatalogEntry& entry = entry_of(kind);
        EXPECT_EQ(entry.paragraphs.size(), 3U) << name_of(kind);
        for (const std::string& paragraph : entry.paragraphs) {
            EXPECT_TRUE(paragraph.ends_with('.')) << paragraph;
            EXPECT_LE(paragraph.size(), 500U) << paragraph;
        }
    }
}

TEST_F(CatalogTest, NamesTheCommandsWhereAPersonHasToAct) {
    const std::string held = entry_of(EventKind::rotation_held).paragraphs.at(2);
    EXPECT_NE(held.find("keyturnctl status"), std::string::npos);
    EXPECT_NE(held.find("keyturnctl retry @TUNNEL_NAME@"), std::string::npos);
    EXPECT_NE(held.find("journalctl -u keyturnd ROTATION_ID=@ROTATION_ID@"), std::string::npos);
    const std::string urgent = entry_of(EventKind::hold_urgent).paragraphs.at(2);
    EXPECT_NE(urgent.find("keyturnctl retry @TUNNEL_NAME@"), std::string::npos);
}

/// The names of all fields that an entry can have.
std::set<std::string> field_names() {
    Event event;
    for (std::string Event::*member :
         {&Event::message, &Event::tunnel_name, &Event::tunnel_id, &Event::rotation_id,
          &Event::target_unit, &Event::batch, &Event::phase, &Event::result, &Event::fingerprint}) {
        event.*member = "x";
    }
    std::set<std::string> names;
    for (const std::string& field : journal_fields(event)) {
        names.insert(field.substr(0, field.find('=')));
    }
    return names;
}

TEST_F(CatalogTest, RefersOnlyToFieldsThatEventsHave) {
    const std::set<std::string> fields = field_names();
    EXPECT_EQ(fields.size(), 12U);
    int references = 0;
    for (const auto& [id, entry] : catalog_.entries) {
        std::string text = entry.headers.at("Subject");
        for (const std::string& paragraph : entry.paragraphs) text += " " + paragraph;
        std::size_t at = text.find('@');
        while (at != std::string::npos) {
            const std::size_t end = text.find('@', at + 1);
            ASSERT_NE(end, std::string::npos) << text;
            EXPECT_TRUE(fields.contains(text.substr(at + 1, end - at - 1))) << text;
            ++references;
            at = text.find('@', end + 1);
        }
    }
    EXPECT_GT(references, 30);
}

}  // namespace
}  // namespace keyturn
