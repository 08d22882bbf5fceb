#include "state/record_json.hpp"

#include "fakes/sample_state.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <limits>

namespace keyturn {
namespace {

using Json = nlohmann::ordered_json;

StateDocument sample_document() {
    return StateDocument{"web", 7, sample_state()};
}

Result<StateDocument> decoded(const Json& json) {
    return decode_document(json.dump());
}

std::string why(const Json& json) {
    const Result<StateDocument> document = decoded(json);
    return document ? "(accepted)" : document.error().text;
}

TEST(RecordJson, GivesBackWhatItWasGiven) {
    const Result<StateDocument> back = decode_document(encode_document(sample_document()));
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, sample_document());
    const HistoryEntry entry = sample_entry("a");
    const Result<HistoryEntry> entry_back = decode_history_entry(encode_history_entry(entry));
    ASSERT_TRUE(entry_back);
    EXPECT_EQ(*entry_back, entry);
}

TEST(RecordJson, GivesBackWhatIsEmpty) {
    const StateDocument empty{"web", 1, TunnelState{}};
    const Result<StateDocument> back = decode_document(encode_document(empty));
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, empty);
    StateDocument fresh = empty;
    fresh.state.rotation = RotationRecord{};
    const Result<StateDocument> fresh_back = decode_document(encode_document(fresh));
    ASSERT_TRUE(fresh_back);
    EXPECT_EQ(*fresh_back, fresh);
}

TEST(RecordJson, GivesBackEveryPhaseAndStep) {
    for (const Phase phase : {Phase::preflight, Phase::prepare, Phase::commit, Phase::roll,
                              Phase::soak, Phase::finish}) {
        StateDocument document = sample_document();
        document.state.rotation->phase = phase;
        const Result<StateDocument> back = decode_document(encode_document(document));
        ASSERT_TRUE(back);
        EXPECT_EQ(back->state.rotation->phase, phase);
    }
    for (const UnitStep step :
         {UnitStep::listed, UnitStep::waiting, UnitStep::restarting, UnitStep::verified}) {
        StateDocument document = sample_document();
        document.state.rotation->units[1].step = step;
        const Result<StateDocument> back = decode_document(encode_document(document));
        ASSERT_TRUE(back);
        EXPECT_EQ(back->state.rotation->units[1].step, step);
    }
}

TEST(RecordJson, RefusesCountsThatCannotBeCountedUp) {
    Json json = Json::parse(encode_document(sample_document()));
    for (const std::int64_t sequence :
         {std::int64_t{-1}, std::numeric_limits<std::int64_t>::max()}) {
        json["sequence"] = sequence;
        EXPECT_EQ(why(json), "unexpected content at \"sequence\"") << sequence;
    }
    json["sequence"] = 1'000'000'000'000'000;
    EXPECT_TRUE(decoded(json));
    for (const int batch : {-1, std::numeric_limits<int>::max()}) {
        json["rotation"]["batch"] = batch;
        EXPECT_EQ(why(json), "unexpected content at \"rotation\"") << batch;
    }
}

TEST(RecordJson, IsOneLine) {
    EXPECT_EQ(encode_document(sample_document()).find('\n'), std::string::npos);
    EXPECT_EQ(encode_history_entry(sample_entry("a\nb")).find('\n'), std::string::npos);
}

TEST(RecordJson, SurvivesTextsThatAreNoUtf8) {
    StateDocument document = sample_document();
    document.state.rotation->request.trigger = "caf\xe9 \xff";
    const Result<StateDocument> back = decode_document(encode_document(document));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->state.rotation->request.trigger, "caf\xef\xbf\xbd \xef\xbf\xbd");
}

/// The path of every member, an object's members after it.
void collect(const Json& json, const Json::json_pointer& at,
             std::vector<Json::json_pointer>& paths) {
    for (const auto& [key, value] : json.items()) {
        const Json::json_pointer path = json.is_array() ? at / std::stoul(key) : at / key;
        paths.push_back(path);
        if (value.is_structured()) collect(value, path, paths);
    }
}

TEST(RecordJson, RefusesAMissingRenamedOrMistypedMemberAnywhere) {
    const Json whole = Json::parse(encode_document(sample_document()));
    std::vector<Json::json_pointer> paths;
    collect(whole, Json::json_pointer(), paths);
    ASSERT_GT(paths.size(), 40U);
    for (const Json::json_pointer& path : paths) {
        Json mistyped = whole;
        mistyped[path] = Json::parse("[[1.5]]");
        EXPECT_FALSE(decoded(mistyped)) << path;
        const Json& parent = whole[path.parent_pointer()];
        if (!parent.is_object()) continue;
        Json missing = whole;
        missing[path.parent_pointer()].erase(path.back());
        const bool added_later =
            path.back() == "invocation_old" || path.back() == "invocation_after" ||
            path.back() == "dropped" || path.back() == "adopts" || path.back() == "releases" ||
            path == Json::json_pointer("/rotation/moved_units") ||
            path == Json::json_pointer("/delivered") || path == Json::json_pointer("/starts");
        EXPECT_EQ(decoded(missing).has_value(), added_later) << path;
        Json extra = whole;
        extra[path.parent_pointer()]["surprise"] = 1;
        EXPECT_FALSE(decoded(extra)) << path;
    }
}

TEST(RecordJson, ReadsWhatEarlierVersionsWroteOfAUnit) {
    Json earlier = Json::parse(encode_document(sample_document()));
    Json& unit = earlier["rotation"]["units"][0];
    unit.erase("invocation_old");
    unit.erase("invocation_after");
    unit["step"] = "waiting";
    const auto document = decode_document(earlier.dump());
    ASSERT_TRUE(document);
    const UnitProgress& read = document->state.rotation->units[0];
    const std::string noted = unit["invocation_before"];
    EXPECT_EQ(read.invocation_old, noted) << "it was seen before the delivery";
    EXPECT_TRUE(read.invocation_before.empty());
}

TEST(RecordJson, HasAMemberForEachKindThatIsNotRoutine) {
    Json json = Json::parse(encode_document(sample_document()));
    const auto kind = [&](bool takes_over, bool compromised) {
        json["rotation"]["takes_over"] = takes_over;
        json["rotation"]["compromised"] = compromised;
        const auto document = decode_document(json.dump());
        return document ? std::optional(document->state.rotation->request.kind) : std::nullopt;
    };
    EXPECT_EQ(kind(false, false), RotationKind::routine);
    EXPECT_EQ(kind(true, false), RotationKind::takeover);
    EXPECT_EQ(kind(false, true), RotationKind::compromise);
    EXPECT_EQ(kind(true, true), std::nullopt) << "no keyturnd has written that";
}

TEST(RecordJson, GivesBackEveryKindAndTheUnitsThatMove) {
    for (const RotationKind kind :
         {RotationKind::routine, RotationKind::takeover, RotationKind::compromise,
          RotationKind::adopt, RotationKind::release}) {
        StateDocument document = sample_document();
        document.state.rotation->request.kind = kind;
        document.state.rotation->request.units = {a, b};
        const Result<StateDocument> back = decode_document(encode_document(document));
        ASSERT_TRUE(back);
        EXPECT_EQ(*back, document);
    }
    for (const Outcome outcome : {Outcome::adopted, Outcome::released}) {
        HistoryEntry entry = sample_entry("a");
        entry.outcome = outcome;
        EXPECT_EQ(decode_history_entry(encode_history_entry(entry))->outcome, outcome);
    }
}

TEST(RecordJson, RefusesAnUnknownKindAndTwoAtOnce) {
    StateDocument document = sample_document();
    document.state.rotation->request.kind = RotationKind::adopt;
    Json json = Json::parse(encode_document(document));
    json["rotation"]["releases"] = true;
    EXPECT_EQ(why(json), "unexpected content at \"rotation\"");
    json["rotation"]["releases"] = false;
    EXPECT_TRUE(decoded(json));
    json["rotation"]["dances"] = true;
    EXPECT_EQ(why(json), "unexpected content at \"rotation\"");
}

TEST(RecordJson, ReadsTheKindsThatEarlierVersionsWrote) {
    Json earlier = Json::parse(encode_document(sample_document()));
    for (const char* later : {"adopts", "releases", "moved_units"})
        earlier["rotation"].erase(later);
    const auto document = decode_document(earlier.dump());
    ASSERT_TRUE(document);
    EXPECT_EQ(document->state.rotation->request, sample_document().state.rotation->request);
}

TEST(RecordJson, NamesTheMemberThatIsWrong) {
    const Json whole = Json::parse(encode_document(sample_document()));
    Json json = whole;
    json["sequence"] = "7";
    EXPECT_EQ(why(json), "unexpected content at \"sequence\"");
    json = whole;
    json["rotation"]["phase"] = "dancing";
    EXPECT_EQ(why(json), "unexpected content at \"rotation\"");
    json = whole;
    json["later"] = 1;
    EXPECT_EQ(why(json), "unexpected content at \"(an unknown member)\"");
    EXPECT_EQ(why(Json::array()), "it is not a JSON object");
    EXPECT_FALSE(decode_document("{"));
    EXPECT_FALSE(decode_document(""));
}

TEST(RecordJson, RefusesNumbersThatDoNotFit) {
    const Json whole = Json::parse(encode_document(sample_document()));
    const auto accepts = [&whole](const char* path, const char* number) {
        Json json = whole;
        json[Json::json_pointer(path)] = Json::parse(number);
        return decoded(json).has_value();
    };
    EXPECT_TRUE(accepts("/rotation/batch", "1000000"));
    EXPECT_FALSE(accepts("/rotation/batch", "4294967296"));
    EXPECT_FALSE(accepts("/rotation/batch", "1.0"));
    EXPECT_FALSE(accepts("/sequence", "9223372036854775808"));
    EXPECT_FALSE(accepts("/sequence", "1e3"));
    EXPECT_TRUE(accepts("/first_seen_ms", "253402300799999"));
    EXPECT_FALSE(accepts("/first_seen_ms", "253402300800000"));
    EXPECT_FALSE(accepts("/first_seen_ms", "true"));
}

}  // namespace
}  // namespace keyturn
