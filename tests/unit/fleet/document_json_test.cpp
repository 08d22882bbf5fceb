#include "fleet/document_json.hpp"

#include "fakes/sample_fleet.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <functional>

namespace keyturn {
namespace {

using Json = nlohmann::ordered_json;

Result<FleetDocument> decoded(const Json& json) {
    return decode_fleet_document(json.dump());
}

std::string why(const FleetDocument& document) {
    const Result<FleetDocument> back = decode_fleet_document(encode_fleet_document(document));
    return back ? "(accepted)" : back.error().text;
}

/// A fleet in which nothing has happened yet.
FleetDocument fresh_fleet() {
    FleetDocument document;
    document.fleet = fleet_id;
    document.account = account_id;
    document.tunnel = tunnel_id;
    document.nonce = "0011223344556677";
    document.writer = "host-1";
    return document;
}

TEST(FleetJson, GivesBackWhatItWasGiven) {
    for (const FleetDocument& document : {sample_fleet(), sample_fleet(25), fresh_fleet()}) {
        const Result<FleetDocument> back = decode_fleet_document(encode_fleet_document(document));
        ASSERT_TRUE(back) << back.error().text;
        EXPECT_EQ(*back, document);
    }
}

TEST(FleetJson, GivesBackEveryWord) {
    FleetDocument document = sample_fleet();
    const auto is_kept = [&document] {
        const auto back = decode_fleet_document(encode_fleet_document(document));
        return back && *back == document;
    };
    for (const auto& [state, name] : names<TurnState>) {
        document.turns[0].state = state;
        EXPECT_TRUE(is_kept()) << name;
    }
    for (const auto& [result, name] : names<JobResult>) {
        document.turns[0].result = result;
        EXPECT_TRUE(is_kept()) << name;
    }
    for (const auto& [fault, name] : names<Fault>) {
        document.turns[0].fault = fault;
        EXPECT_TRUE(is_kept()) << name;
    }
    for (const auto& [kind, name] : names<OrderKind>) {
        document.order.kind = kind;
        EXPECT_TRUE(is_kept()) << name;
    }
    for (const auto& [kind, name] : names<RotationKind>) {
        document.order.request.kind = kind;
        document.state.rotation->request.kind = kind;
        EXPECT_TRUE(is_kept()) << name;
    }
}

TEST(FleetJson, IsOneLineThatBeginsWithItsFormat) {
    const std::string json = encode_fleet_document(sample_fleet());
    EXPECT_TRUE(json.starts_with("{\"format\":1,")) << json;
    EXPECT_EQ(json.find('\n'), std::string::npos);
}

TEST(FleetJson, LeavesOutWhatIsAsUsual) {
    FleetDocument document = sample_fleet();
    MemberUnit& unit = document.members["host-1"].units[0];
    unit = MemberUnit{};
    unit.setup.name = a;
    const auto written = [&document] {
        const std::string json = encode_fleet_document(document);
        const auto back = decode_fleet_document(json);
        EXPECT_TRUE(back && *back == document) << json;
        return Json::parse(json)["members"]["host-1"]["units"][0].dump();
    };
    EXPECT_EQ(written(), R"({"setup":{"name":"cloudflared-web@1.service"}})");
    unit.seen.state.name = a;
    EXPECT_EQ(written(),
              R"({"setup":{"name":"cloudflared-web@1.service"},"seen":{"state":{"load":"",)"
              R"("active":"","sub":"","result":""}}})");
    unit.seen.state = UnitState{a, "loaded", "active", "running", "success", "", 0, 0, false};
    unit.seen.readiness = Readiness{"11111111-2222-3333-4444-555555555555", "", 4, true};
    EXPECT_EQ(written(),
              R"({"setup":{"name":"cloudflared-web@1.service"},"seen":{"state":{},"ready":)"
              R"({"connector":"11111111-2222-3333-4444-555555555555","connections":4}}})");
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

/// Members of the record that the files of earlier versions lack, too.
bool was_added_later(const Json::json_pointer& path) {
    constexpr std::array names{"invocation_old", "invocation_after", "dropped",   "adopts",
                               "releases",       "moved_units",      "delivered", "starts"};
    return std::ranges::find(names, path.back()) != names.end();
}

/// What is left out while it has its usual value.
bool is_rare(const Json::json_pointer& path) {
    constexpr std::array names{
        "request",    "speaks",      "problem",     "lacks",    "stop_and_start_ms",
        "surge",      "not_allowed", "passed_over", "findings", "elsewhere",
        "seen",       "load",        "active",      "sub",      "result",
        "invocation", "pid",         "cgroup",      "job",      "ready",
        "tunnel",     "serving",     "unasked"};
    const std::string text = path.to_string();
    return (text.starts_with("/members/") || text == "/order/request") &&
           std::ranges::find(names, path.back()) != names.end();
}

TEST(FleetJson, RefusesAMissingRenamedOrMistypedMemberAnywhere) {
    const Json whole = Json::parse(encode_fleet_document(sample_fleet()));
    std::vector<Json::json_pointer> paths;
    collect(whole, Json::json_pointer(), paths);
    ASSERT_GT(paths.size(), 200U);
    for (const Json::json_pointer& path : paths) {
        Json mistyped = whole;
        mistyped[path] = Json::parse("[[1.5]]");
        EXPECT_FALSE(decoded(mistyped)) << path;
        const Json& parent = whole[path.parent_pointer()];
        if (!parent.is_object()) continue;
        Json extra = whole;
        extra[path.parent_pointer()]["surprise"] = 1;
        EXPECT_FALSE(decoded(extra)) << path;
        if (path.parent_pointer() == Json::json_pointer("/members")) continue;
        Json missing = whole;
        missing[path.parent_pointer()].erase(path.back());
        EXPECT_EQ(decoded(missing).has_value(), was_added_later(path) || is_rare(path)) << path;
    }
}

TEST(FleetJson, RefusesNumbersThatDoNotFit) {
    const Json whole = Json::parse(encode_fleet_document(sample_fleet()));
    const auto accepts = [&whole](const char* path, const char* number) {
        Json json = whole;
        json[Json::json_pointer(path)] = Json::parse(number);
        return decoded(json).has_value();
    };
    EXPECT_TRUE(accepts("/rev", "1000000000000000"));
    EXPECT_FALSE(accepts("/rev", "1000000000000001"));
    EXPECT_FALSE(accepts("/rev", "-1"));
    EXPECT_FALSE(accepts("/rev", "1e3"));
    EXPECT_FALSE(accepts("/epoch", "18446744073709551615"));
    EXPECT_FALSE(accepts("/epoch", "18446744073709551616"));
    EXPECT_FALSE(accepts("/lead/beat", "1000000000000001"));
    EXPECT_TRUE(accepts("/members/host-1/units/0/seen/state/pid", "4294967295"));
    EXPECT_FALSE(accepts("/members/host-1/units/0/seen/state/pid", "4294967296"));
    EXPECT_FALSE(accepts("/members/host-1/min_available", "-1"));
    EXPECT_FALSE(accepts("/format", "2"));
    EXPECT_FALSE(accepts("/order/done", "5")) << "there were only four";
}

using Change = std::function<void(FleetDocument&)>;

struct WrongName {
    const char* member;
    Change change;
};

/// `name` is wrong wherever a host, a unit or an id belongs.
std::vector<WrongName> wrong_names(const std::string& name) {
    return {
        {"fleet", [=](FleetDocument& it) { it.fleet = name; }},
        {"account", [=](FleetDocument& it) { it.account = name; }},
        {"tunnel", [=](FleetDocument& it) { it.tunnel = name; }},
        {"nonce", [=](FleetDocument& it) { it.nonce = name; }},
        {"writer", [=](FleetDocument& it) { it.writer = name; }},
        {"lead", [=](FleetDocument& it) { it.lead->host = name; }},
        {"state", [=](FleetDocument& it) { it.state.rotation->units[0].name = name; }},
        {"deliver", [=](FleetDocument& it) { it.deliver = name; }},
        {"sealed", [=](FleetDocument& it) { it.sealed->rotation_id = name; }},
        {"sealed", [=](FleetDocument& it) { it.sealed->key_id = name; }},
        {"sealed", [=](FleetDocument& it) { it.sealed->nonce = name; }},
        {"sealed", [=](FleetDocument& it) { it.sealed->text = name; }},
        {"turns", [=](FleetDocument& it) { it.turns[0].unit = name; }},
        {"turns", [=](FleetDocument& it) { it.turns[0].rotation_id = name; }},
        {"order", [=](FleetDocument& it) { it.order.id = name; }},
        {"order", [=](FleetDocument& it) { it.order.by = name; }},
        {"order", [=](FleetDocument& it) { it.order.request.units = {name}; }},
        {"members", [=](FleetDocument& it) { it.members[name] = sample_member('3'); }},
        {"members", [=](FleetDocument& it) { it.members["host-1"].install = name; }},
        {"members", [=](FleetDocument& it) { it.members["host-1"].mark = name; }},
        {"members", [=](FleetDocument& it) { it.members["host-1"].file = name; }},
        {"members", [=](FleetDocument& it) { it.members["host-1"].staged = name; }},
        {"members", [=](FleetDocument& it) { it.members["host-1"].keys = {name}; }},
        {"members", [=](FleetDocument& it) { it.members["host-1"].units[0].setup.name = name; }},
    };
}

TEST(FleetJson, RefusesANameOfAWrongForm) {
    for (const std::string name : {"two words", "line\nfeed", "\x1b[2J", "caf\xc3\xa9",
                                   "rtl\xe2\x80\xae.service", "..", "bad\xff"}) {
        for (const WrongName& wrong : wrong_names(name)) {
            FleetDocument document = sample_fleet();
            wrong.change(document);
            EXPECT_EQ(why(document), std::string("unexpected content at \"") + wrong.member + "\"")
                << name;
        }
    }
}

TEST(FleetJson, RefusesWhatHasTheWrongLengthOrCase) {
    const auto refused = [](const Change& change) {
        FleetDocument document = sample_fleet();
        change(document);
        return why(document) != "(accepted)";
    };
    EXPECT_TRUE(refused([](auto& it) { it.fleet.pop_back(); }));
    EXPECT_TRUE(refused([](auto& it) { it.fleet[0] = 'F'; }));
    EXPECT_TRUE(refused([](auto& it) { it.tunnel[0] = 'F'; }));
    EXPECT_TRUE(refused([](auto& it) { it.nonce += "00"; }));
    EXPECT_TRUE(refused([](auto& it) { it.deliver += "00"; }));
    EXPECT_TRUE(refused([](auto& it) { it.writer = std::string(65, 'h'); }));
    EXPECT_TRUE(refused([](auto& it) { it.members["host-1"].speaks.clear(); }));
    EXPECT_TRUE(refused([](auto& it) { it.members["host-1"].mark.clear(); }));
    EXPECT_TRUE(refused([](auto& it) { it.sealed->text.assign(20'000, 'A'); }));
    EXPECT_FALSE(refused([](auto& it) { it.deliver.clear(); }));
    EXPECT_FALSE(refused([](auto& it) { it.members["host-1"].file.clear(); }));
}

TEST(FleetJson, MakesTextsFitToBeShown) {
    FleetDocument document = sample_fleet();
    document.state.rotation->hold->text = "one\ntwo \x1b[31m bad \xff \xe2\x80\xae";
    document.members["host-2"].problem = std::string(1023, 'x') + "\xc3\xa9";
    const auto back = decode_fleet_document(encode_fleet_document(document));
    ASSERT_TRUE(back) << back.error().text;
    EXPECT_EQ(back->state.rotation->hold->text, "one?two ?[31m bad ? ?");
    EXPECT_EQ(back->members.at("host-2").problem, std::string(1023, 'x'));
}

TEST(FleetJson, RefusesTextsThatAreNotFitToBeShown) {
    const Json whole = Json::parse(encode_fleet_document(sample_fleet()));
    for (const std::string& text : {std::string("one\ntwo"), std::string("\x1b[2J"),
                                    std::string("\xe2\x80\xae"), std::string(1025, 'x')}) {
        Json json = whole;
        json["state"]["rotation"]["hold"]["text"] = text;
        EXPECT_FALSE(decoded(json));
        json = whole;
        json["members"]["host-1"]["units"][0]["setup"]["findings"][0] = text;
        EXPECT_FALSE(decoded(json));
        json = whole;
        json["members"]["host-1"]["version"] = text;
        EXPECT_FALSE(decoded(json));
    }
}

TEST(FleetJson, IsNothingElse) {
    for (const char* text : {"", "{", "[]", "null", "{}", "{\"format\":1}"}) {
        EXPECT_FALSE(decode_fleet_document(text)) << text;
    }
}

}  // namespace
}  // namespace keyturn
