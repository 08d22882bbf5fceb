#include "fleet/document_text.hpp"

#include "fakes/sample_fleet.hpp"
#include "fleet/document_json.hpp"
#include "shared_object/shared_object.hpp"

#include <gmock/gmock.h>

#include <map>

namespace keyturn {
namespace {

using testing::HasSubstr;

const ExpectedFleet expected{tunnel_id, fleet_id};

std::string sample_text() {
    const Result<std::string> text = write_fleet_text(sample_fleet(), fleet_keys());
    EXPECT_TRUE(text) << text.error().text;
    return *text;
}

/// A text with a true MAC around any second line.
std::string text_with(std::string_view json, std::string_view format = "1",
                      std::string_view key_id = "k1") {
    return std::string("keyturn-fleet ")
        .append(format)
        .append(" ")
        .append(key_id)
        .append(" ")
        .append(*fleet_keys().mac(key_id, tunnel_id, json))
        .append("\n")
        .append(json)
        .append("\n");
}

Error refusal(std::string_view text, const ExpectedFleet& of = expected) {
    const Result<FleetDocument> document = read_fleet_text(text, fleet_keys(), of);
    EXPECT_FALSE(document);
    return document ? Error{Fault::cancelled, "(accepted)"} : document.error();
}

TEST(FleetText, GivesBackWhatItWasGiven) {
    const auto document = read_fleet_text(sample_text(), fleet_keys(), expected);
    ASSERT_TRUE(document) << document.error().text;
    EXPECT_EQ(*document, sample_fleet());
    EXPECT_TRUE(read_fleet_text(sample_text(), fleet_keys(), ExpectedFleet{tunnel_id}))
        << "a host that joins does not know the fleet yet";
}

TEST(FleetText, HasTwoLinesAndTheMacOfTheSecond) {
    const std::string text = sample_text();
    const std::string json = encode_fleet_document(sample_fleet());
    EXPECT_EQ(text, text_with(json));
    EXPECT_EQ(std::ranges::count(text, '\n'), 2);
}

TEST(FleetText, IsWrittenWithTheFirstKeyAndReadWithAny) {
    const std::string json = encode_fleet_document(sample_fleet());
    EXPECT_TRUE(read_fleet_text(text_with(json, "1", "old-1"), fleet_keys(), expected));
}

TEST(FleetText, IsRefusedWithAnyBitFlipped) {
    const std::string text = sample_text();
    const FleetKeys keys = fleet_keys();
    for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
        std::string flipped = text;
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
        ASSERT_FALSE(read_fleet_text(flipped, keys, expected)) << "bit " << bit;
    }
}

TEST(FleetText, IsRefusedWhenItIsCutOffOrExtended) {
    const std::string text = sample_text();
    const FleetKeys keys = fleet_keys();
    for (std::size_t size = 0; size < text.size(); ++size) {
        ASSERT_FALSE(read_fleet_text(text.substr(0, size), keys, expected)) << size;
    }
    for (const std::string& longer : {text + "\n", text + "x", text + text, "\n" + text}) {
        EXPECT_FALSE(read_fleet_text(longer, keys, expected));
    }
}

TEST(FleetText, IsRefusedForItsSizeBeforeAnythingElse) {
    const Error error = refusal(std::string(object_bytes_max, 'x'));
    EXPECT_EQ(error.fault, Fault::invalid);
    EXPECT_EQ(error.text, "the shared object is too large for one of keyturn");
}

TEST(FleetText, IsRefusedForItsFirstLine) {
    for (const std::string text :
         {"", "\n", "\n\n", "keyturn-fleet 1 k1\n{}\n", "keyturn-fleet 1 k1 mac more\n{}\n",
          "keyturn-flee 1 k1 mac\n{}\n", "keyturn-fleet 1 k1 mac\n", "<html>\n</html>\n"}) {
        const Error error = refusal(text);
        EXPECT_EQ(error.fault, Fault::invalid) << text;
        EXPECT_EQ(error.text, "the shared object was not written by keyturn, or is cut off")
            << text;
    }
}

TEST(FleetText, OfAnUnknownKeyIsDenied) {
    std::string text = sample_text();
    text.replace(text.find("k1"), 2, "k9");
    const Error error = refusal(text);
    EXPECT_EQ(error.fault, Fault::denied);
    EXPECT_THAT(error.text, HasSubstr("a fleet key that this host does not have; copy the file"));
}

TEST(FleetText, WithAWrongMacIsDeniedWhateverItContains) {
    const FleetKeys other =
        fleet_keys("k1 00000000000000000000000000000000000000000000000000000000000000ff\n");
    const Result<FleetDocument> with_other_key = read_fleet_text(sample_text(), other, expected);
    ASSERT_FALSE(with_other_key);
    EXPECT_EQ(with_other_key.error().fault, Fault::denied);
    EXPECT_THAT(with_other_key.error().text, HasSubstr("was not written with the fleet key"));
    EXPECT_EQ(refusal(sample_text(), ExpectedFleet{other_tunnel_id}).fault, Fault::denied)
        << "the MAC is one of its tunnel";
    const std::string no_mac(64, '0');
    EXPECT_EQ(refusal("keyturn-fleet 2 k1 " + no_mac + "\nnot JSON\n").fault, Fault::denied);
    EXPECT_EQ(refusal("keyturn-fleet 1 k1 \n{}\n").fault, Fault::denied);
}

TEST(FleetText, OfANewerFormatIsToldApart) {
    const Error error = refusal(text_with("{\"format\":2,\"anything\":[]}", "2"));
    EXPECT_EQ(error.fault, Fault::missing);
    EXPECT_EQ(error.text,
              "the shared object has format 2, which a newer keyturn wrote, and this one reads "
              "format 1 only; install the newer version on this host");
}

TEST(FleetText, SaysItsFormatTwice) {
    const std::map<std::string, std::string> formats{
        {"1", "2"}, {"2", "1"}, {"01", "1"}, {"1", "0"}, {"-1", "-1"}, {"9999999", "9999999"}};
    for (const auto& [first, second] : formats) {
        const Error error = refusal(text_with("{\"format\":" + second + ",\"a\":1}", first));
        EXPECT_EQ(error.fault, Fault::invalid) << first;
        EXPECT_EQ(error.text, "the shared object does not say which format it has") << first;
    }
    EXPECT_EQ(refusal(text_with("{}")).fault, Fault::invalid);
    EXPECT_EQ(refusal(text_with("")).fault, Fault::invalid);
}

TEST(FleetText, IsRefusedForItsContentAfterItsMac) {
    const Error error = refusal(text_with("{\"format\":1,\"fleet\":7}"));
    EXPECT_EQ(error.fault, Fault::invalid);
    EXPECT_EQ(error.text, "the shared object: unexpected content at \"fleet\"");
}

TEST(FleetText, OfAnotherFleetOrTunnelIsRefused) {
    const Error fleet = refusal(sample_text(), ExpectedFleet{tunnel_id, std::string(32, '0')});
    EXPECT_EQ(fleet.fault, Fault::invalid);
    EXPECT_EQ(fleet.text,
              "the shared object belongs to another fleet than the one that this host joined");
    FleetDocument document = sample_fleet();
    document.tunnel = other_tunnel_id;
    const Error tunnel = refusal(text_with(encode_fleet_document(document)));
    EXPECT_EQ(tunnel.fault, Fault::invalid);
    EXPECT_EQ(tunnel.text, "the shared object belongs to another tunnel");
}

TEST(FleetText, IsNotWrittenIfNobodyCouldReadIt) {
    FleetDocument document = sample_fleet();
    document.writer = "two words";
    const Result<std::string> text = write_fleet_text(document, fleet_keys());
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().fault, Fault::invalid);
    EXPECT_EQ(text.error().text,
              "cannot write the shared object: unexpected content at \"writer\"");
    EXPECT_EQ(write_fleet_text(sample_fleet(), FleetKeys()).error().text, "there is no fleet key");
}

TEST(FleetText, OfTooManyHostsIsNotWritten) {
    const Result<std::string> text = write_fleet_text(sample_fleet(90), fleet_keys());
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().fault, Fault::invalid);
    EXPECT_THAT(text.error().text, HasSubstr("a fleet of fewer units fits"));
}

/// A fleet of hosts that have nothing to complain about, in the middle of a rotation.
FleetDocument ordinary_fleet(int hosts) {
    FleetDocument document = sample_fleet(hosts);
    document.state.rotation->hold.reset();
    document.state.rotation->reverting.clear();
    document.state.rotation->refusal.clear();
    document.state.retired.assign(retired_max, "00112233445566aa");
    document.state.starts.clear();
    document.order = FleetOrder{};
    document.last->units.clear();
    for (auto& [host, member] : document.members) {
        member.problem.clear();
        member.speaks = {1};
        member.keys = {"k1"};
        InspectUnits::Unit& setup = member.units[0].setup;
        setup = InspectUnits::Unit{a, std::nullopt, setup.stop_and_start};
        member.units[0].seen.unasked.clear();
    }
    return document;
}

TEST(FleetText, HasTheSizeThatTheFormatIsMadeFor) {
    // With as many retired fingerprints as are kept: 5,734, 6,853, 14,688 and 31,503 bytes. About
    // half of what a unit takes is its place in the record.
    const std::map<int, std::size_t> bytes_max{{2, 5800}, {3, 6900}, {10, 14'800}, {25, 31'800}};
    for (const auto& [hosts, most] : bytes_max) {
        const Result<std::string> text = write_fleet_text(ordinary_fleet(hosts), fleet_keys());
        ASSERT_TRUE(text) << text.error().text;
        EXPECT_LE(text->size(), most) << hosts << " hosts";
    }
}

}  // namespace
}  // namespace keyturn
