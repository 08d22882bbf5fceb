#include "state/state_file.hpp"

#include "fakes/sample_state.hpp"
#include "state/state_store.hpp"
#include "token/digest.hpp"

#include <gtest/gtest.h>

namespace keyturn {
namespace {

using Kind = StateFile::Kind;

StateDocument sample_document(std::int64_t sequence = 7) {
    return StateDocument{"web", sequence, sample_state()};
}

std::string sample_text() {
    return encode_state_file(sample_document());
}

StateFile whole(std::int64_t sequence) {
    return StateFile{Kind::whole, sample_document(sequence), {}};
}

StateFile of_kind(Kind kind) {
    return StateFile{kind, {}, "its checksum does not match"};
}

/// A file as another version of keyturn would write it.
std::string text_with(std::string_view schema, std::string_view state) {
    return std::string("{\"schema\":")
        .append(schema)
        .append(",\"sha256\":\"")
        .append(sha256_hex({schema, "\n", state}))
        .append("\",\"state\":")
        .append(state)
        .append("}\n");
}

TEST(StateFile, GivesBackWhatItWasGiven) {
    const StateFile file = decode_state_file("web", sample_text());
    EXPECT_EQ(file.kind, Kind::whole);
    EXPECT_EQ(file.document, sample_document());
}

TEST(StateFile, DetectsATruncationAtEveryByte) {
    const std::string text = sample_text();
    for (std::size_t size = 0; size < text.size(); ++size) {
        EXPECT_EQ(decode_state_file("web", text.substr(0, size)).kind, Kind::damaged) << size;
    }
}

TEST(StateFile, DetectsEverySingleBitFlip) {
    const std::string text = sample_text();
    for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
        std::string flipped = text;
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
        EXPECT_EQ(decode_state_file("web", flipped).kind, Kind::damaged) << "bit " << bit;
    }
}

TEST(StateFile, DetectsWhatWasAppendedOrPutInFront) {
    EXPECT_EQ(decode_state_file("web", sample_text() + "\n").kind, Kind::damaged);
    EXPECT_EQ(decode_state_file("web", sample_text() + sample_text()).kind, Kind::damaged);
    EXPECT_EQ(decode_state_file("web", " " + sample_text()).kind, Kind::damaged);
    EXPECT_EQ(decode_state_file("web", std::string(4096, '\0')).kind, Kind::damaged);
}

TEST(StateFile, IsOfOneTunnel) {
    const StateFile file = decode_state_file("mail", sample_text());
    EXPECT_EQ(file.kind, Kind::damaged);
    EXPECT_EQ(file.why, "it is the state of another tunnel");
}

TEST(StateFile, TellsANewerVersionFromDamage) {
    EXPECT_EQ(decode_state_file("web", text_with("2", "{\"whatever\":[]}")).kind, Kind::newer);
    EXPECT_EQ(decode_state_file("web", text_with("999999", "[]")).kind, Kind::newer);
    for (const char* schema : {"0", "-1", "", "1.0", "1e1", "1000000", "99999999999", "\"2\""}) {
        EXPECT_EQ(decode_state_file("web", text_with(schema, "{}")).kind, Kind::damaged) << schema;
    }
    std::string claims = text_with("2", "{}");
    claims[claims.find("{}")] = '[';
    EXPECT_EQ(decode_state_file("web", claims).kind, Kind::damaged);
}

TEST(StateFile, IsDamagedWhenTheChecksumIsRightAndTheContentIsNot) {
    const StateFile file = decode_state_file("web", text_with("1", "{\"tunnel_name\":7}"));
    EXPECT_EQ(file.kind, Kind::damaged);
    EXPECT_EQ(file.why, "unexpected content at \"tunnel_name\"");
}

TEST(StateChoice, PrefersTheCurrentFile) {
    for (const Kind kind : {Kind::absent, Kind::damaged, Kind::newer}) {
        const Result<StateChoice> choice = choose_state(whole(7), of_kind(kind));
        ASSERT_TRUE(choice);
        EXPECT_EQ(choice->document->sequence, 7);
        EXPECT_TRUE(choice->current_is_good);
        EXPECT_EQ(choice->warning, "");
    }
    EXPECT_EQ(choose_state(whole(7), whole(6))->document->sequence, 7);
    EXPECT_EQ(choose_state(whole(7), whole(7))->warning, "");
}

TEST(StateChoice, TakesThePreviousFileForADamagedMissingOrOlderOneAndSaysSo) {
    for (const StateFile& current : {of_kind(Kind::absent), of_kind(Kind::damaged), whole(5)}) {
        const Result<StateChoice> choice = choose_state(current, whole(6));
        ASSERT_TRUE(choice);
        EXPECT_EQ(choice->document->sequence, 6);
        EXPECT_FALSE(choice->current_is_good);
        EXPECT_NE(choice->warning, "");
    }
    EXPECT_EQ(
        choose_state(of_kind(Kind::damaged), whole(6))->warning,
        "the state is damaged (its checksum does not match); keyturnd uses the one before it");
}

TEST(StateChoice, IsNeverFreshWhenThereIsSomething) {
    const Result<StateChoice> never_seen =
        choose_state(of_kind(Kind::absent), of_kind(Kind::absent));
    ASSERT_TRUE(never_seen);
    EXPECT_FALSE(never_seen->document);
    for (const Kind current : {Kind::absent, Kind::damaged, Kind::newer}) {
        for (const Kind previous : {Kind::absent, Kind::damaged, Kind::newer}) {
            if (current == Kind::absent && previous == Kind::absent) continue;
            const Result<StateChoice> choice = choose_state(of_kind(current), of_kind(previous));
            ASSERT_FALSE(choice);
            EXPECT_EQ(choice.error().fault, Fault::invalid);
        }
    }
}

TEST(StateChoice, DoesNotGoBackBehindANewerVersion) {
    const Result<StateChoice> choice = choose_state(of_kind(Kind::newer), whole(6));
    ASSERT_FALSE(choice);
    EXPECT_NE(choice.error().text.find("newer version of keyturn"), std::string::npos);
}

}  // namespace
}  // namespace keyturn
