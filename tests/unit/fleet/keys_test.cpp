#include "fleet/keys.hpp"

#include "fakes/sample_fleet.hpp"
#include "fakes/sandbox.hpp"
#include "token/digest.hpp"

#include <gmock/gmock.h>

namespace keyturn {
namespace {

using namespace testing_files;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const std::string key_hex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

TEST(FleetKeys, AreReadFromTheirLines) {
    EXPECT_THAT(fleet_keys().ids(), ElementsAre("k1", "old-1"));
    EXPECT_THAT(fleet_keys("\r\n  A-9 \t" + key_hex + " \r\n").ids(), ElementsAre("A-9"));
}

TEST(FleetKeys, HaveNoOtherLines) {
    const std::map<std::string, std::string> reasons{
        {"k1", "line 1 of the fleet keys has one word"},
        {"# x\n\nk1 " + key_hex + "\nk_2 " + key_hex,
         "line 4 of the fleet keys does not begin with an id"},
        {"12345678901234567 " + key_hex, "line 1 of the fleet keys does not begin with an id"},
        {"k1 " + key_hex + "0", "line 1 of the fleet keys does not end with 64 hex digits"},
        {"k1 " + key_hex.substr(1), "line 1 of the fleet keys does not end with 64 hex digits"},
        {"k1 x" + key_hex.substr(1), "line 1 of the fleet keys does not end with 64 hex digits"},
        {"k1 " + key_hex + " more", "line 1 of the fleet keys does not end with 64 hex digits"},
        {"k1 " + key_hex + "\nk1 " + key_hex,
         "line 2 of the fleet keys repeats the id of another line"},
        {"", "there is no line with a fleet key"},
        {"# k1 " + key_hex, "there is no line with a fleet key"},
    };
    for (const auto& [text, reason] : reasons) {
        const Result<FleetKeys> keys = FleetKeys::read(text);
        ASSERT_FALSE(keys) << reason;
        EXPECT_EQ(keys.error().fault, Fault::invalid);
        EXPECT_THAT(keys.error().text, HasSubstr(reason));
        EXPECT_THAT(keys.error().text, Not(HasSubstr(key_hex.substr(2, 12))));
    }
}

TEST(FleetKeys, MakeTheMacThatAnotherProgramMakes) {
    // HMAC-SHA256 of the text under the derived key of cipher_test.cpp, by python's hmac.
    const FleetKeys keys = fleet_keys();
    EXPECT_EQ(keys.mac("k1", tunnel_id, "{\"format\":1}"),
              "5059b18ff0aa49d8cee49c46755a1a4f76d99c004afdc47a7dfef9e418c68236");
    EXPECT_NE(keys.mac("k1", other_tunnel_id, "{\"format\":1}"),
              keys.mac("k1", tunnel_id, "{\"format\":1}"));
    EXPECT_NE(keys.mac("old-1", tunnel_id, "{\"format\":1}"),
              keys.mac("k1", tunnel_id, "{\"format\":1}"));
    EXPECT_EQ(keys.mac("k2", tunnel_id, "{\"format\":1}"), std::nullopt);
}

TEST(FleetSeal, IsWhatAnotherProgramMakes) {
    // By python's cryptography: AESGCM(derived key of cipher_test.cpp).encrypt(nonce, the text of
    // pending/TUNNEL, additional data), in base64.
    const FleetDocument document = sample_fleet();
    ASSERT_TRUE(document.sealed);
    EXPECT_EQ(document.sealed->rotation_id, fleet_rotation);
    EXPECT_EQ(document.sealed->key_id, "k1");
    EXPECT_EQ(document.sealed->nonce, "oKGio6Slpqeoqaqr");
    EXPECT_EQ(document.sealed->text.size(), 728U);
    EXPECT_EQ(sha256_hex({document.sealed->text}),
              "b0e8d07073ab016c85efbcf6c85d96eabc500c85e92d3982bcc2c50aede0249f");
}

TEST(FleetSeal, GivesBackBothTokens) {
    const Result<PendingTokens> tokens = fleet_keys().unseal(sample_fleet());
    ASSERT_TRUE(tokens) << tokens.error().text;
    EXPECT_EQ(tokens->rotation_id, fleet_rotation);
    EXPECT_TRUE(same_secret(tokens->new_token, fleet_token('N')));
    EXPECT_TRUE(same_secret(tokens->old_token, fleet_token('O')));
}

TEST(FleetSeal, IsAnotherTextWithEachNonce) {
    const auto random = make_random();
    const FleetKeys keys = fleet_keys();
    FleetDocument document = sample_fleet();
    const auto first = keys.seal(document, *random, fleet_tokens());
    const auto second = keys.seal(document, *random, fleet_tokens());
    ASSERT_TRUE(first && second);
    EXPECT_NE(first->nonce, second->nonce);
    EXPECT_NE(first->text, second->text);
    document.sealed = *second;
    EXPECT_TRUE(keys.unseal(document));
}

TEST(FleetSeal, HidesTheTokens) {
    const std::string text = sample_fleet().sealed->text;
    for (const char letter : {'N', 'O'}) {
        const Secret token = fleet_token(letter);
        EXPECT_THAT(text, Not(HasSubstr(std::string(token.reveal().substr(0, 16)))));
    }
}

Error refusal(const FleetDocument& document, const FleetKeys& keys = fleet_keys()) {
    const Result<PendingTokens> tokens = keys.unseal(document);
    EXPECT_FALSE(tokens);
    return tokens ? Error{Fault::cancelled, "(accepted)"} : tokens.error();
}

TEST(FleetSeal, IsBrokenByEveryChange) {
    const FleetDocument whole = sample_fleet();
    const auto is_broken = [&whole](const auto& change) {
        FleetDocument document = whole;
        change(document);
        return refusal(document).fault == Fault::denied;
    };
    for (std::size_t at = 0; at < whole.sealed->text.size(); ++at) {
        EXPECT_TRUE(is_broken([at](auto& it) { it.sealed->text[at] ^= 1; })) << at;
        EXPECT_TRUE(is_broken([at](auto& it) { it.sealed->text.resize(at); })) << at;
    }
    for (std::size_t at = 0; at < whole.sealed->nonce.size(); ++at) {
        EXPECT_TRUE(is_broken([at](auto& it) { it.sealed->nonce[at] ^= 1; })) << at;
    }
    EXPECT_TRUE(is_broken([](auto& it) { it.sealed->nonce.clear(); }));
    EXPECT_TRUE(is_broken([](auto& it) { it.sealed->rotation_id[0] = 'f'; }));
    EXPECT_TRUE(is_broken([](auto& it) { it.sealed->key_id = "old-1"; }));
    EXPECT_TRUE(is_broken([](auto& it) { it.tunnel = other_tunnel_id; }));
    EXPECT_TRUE(is_broken([](auto& it) { it.fleet[0] = '0'; }));
}

TEST(FleetSeal, NeedsItsKey) {
    const Error unknown = refusal(sample_fleet(), fleet_keys("k2 " + key_hex));
    EXPECT_EQ(unknown.fault, Fault::denied);
    EXPECT_THAT(unknown.text, HasSubstr("does not have their fleet key; copy the file"));
    const std::string other(64, '7');
    EXPECT_EQ(refusal(sample_fleet(), fleet_keys("k1 " + other)).fault, Fault::denied);
    EXPECT_TRUE(fleet_keys("k2 " + other + "\nk1 " + key_hex).unseal(sample_fleet()));
    EXPECT_EQ(refusal(FleetDocument()).fault, Fault::missing);
    CountingRandom random;
    EXPECT_EQ(FleetKeys().seal(sample_fleet(), random, fleet_tokens()).error().text,
              "there is no fleet key");
}

/// A document whose seal is whole around these tokens.
FleetDocument sealed_with(const PendingTokens& tokens) {
    FleetDocument document = sample_fleet();
    CountingRandom random;
    document.sealed = *fleet_keys().seal(document, random, tokens);
    return document;
}

PendingTokens tokens_of(Secret new_token, Secret old_token,
                        const std::string& rotation_id = fleet_rotation) {
    return PendingTokens{rotation_id, std::move(new_token), std::move(old_token)};
}

TEST(FleetSeal, IsWorthNothingAroundOtherTokens) {
    const auto reason = [](const PendingTokens& tokens) {
        const Error error = refusal(sealed_with(tokens));
        EXPECT_EQ(error.fault, Fault::invalid);
        return error.text;
    };
    EXPECT_THAT(reason(tokens_of(fleet_token('N', other_tunnel_id), fleet_token('O'))),
                HasSubstr("are not of this tunnel"));
    EXPECT_THAT(reason(tokens_of(fleet_token('N'), fleet_token('O', other_tunnel_id))),
                HasSubstr("are not of this tunnel"));
    EXPECT_THAT(reason(tokens_of(Secret::copy_of("garbage"), fleet_token('O'))),
                HasSubstr("cannot be used"));
}

TEST(FleetSeal, IsWholeWhateverTheRecordSaysByNow) {
    EXPECT_TRUE(fleet_keys().unseal(sealed_with(tokens_of(fleet_token('O'), fleet_token('N')))));
    FleetDocument document = sealed_with(tokens_of(fleet_token('X'), fleet_token('Y')));
    EXPECT_TRUE(fleet_keys().unseal(document)) << "the next record follows";
    document.state.rotation.reset();
    EXPECT_TRUE(fleet_keys().unseal(document));
}

TEST(FleetKeyFile, IsReadOnlyIfNobodyElseCanReadIt) {
    const Sandbox sandbox;
    const std::string path = sandbox / "fleet.key";
    put(path, std::string(fleet_keys_text));
    const Result<FleetKeys> keys = read_fleet_keys(CredentialSource{"", path}, "");
    ASSERT_TRUE(keys) << keys.error().text;
    EXPECT_THAT(keys->ids(), ElementsAre("k1", "old-1"));
    put(path, std::string(fleet_keys_text), 0640);
    const Result<FleetKeys> open = read_fleet_keys(CredentialSource{"", path}, "");
    ASSERT_FALSE(open);
    EXPECT_EQ(open.error().fault, Fault::denied);
    EXPECT_THAT(open.error().text, HasSubstr("chmod 600 " + path));
}

TEST(FleetKeyFile, IsACredentialOfSystemd) {
    const Sandbox sandbox;
    put(sandbox / "fleet-key", std::string(fleet_keys_text));
    const CredentialSource source{"fleet-key", ""};
    EXPECT_TRUE(read_fleet_keys(source, sandbox.path()));
    put(sandbox / "fleet-key", "none");
    const Result<FleetKeys> none = read_fleet_keys(source, sandbox.path());
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().fault, Fault::missing);
    EXPECT_THAT(none.error().text, HasSubstr("the fleet key fleet-key is missing"));
}

TEST(FleetKeyFile, NamesItselfWhenItsContentIsWrong) {
    const Sandbox sandbox;
    const std::string path = sandbox / "fleet.key";
    put(path, "k1 0011\n");
    const Result<FleetKeys> wrong = read_fleet_keys(CredentialSource{"", path}, "");
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().fault, Fault::invalid);
    EXPECT_THAT(wrong.error().text, HasSubstr(path + ": line 1 of the fleet keys does not end"));
    put(path, " \n");
    EXPECT_EQ(read_fleet_keys(CredentialSource{"", path}, "").error().text, path + " is empty");
    std::filesystem::remove(path);
    EXPECT_EQ(read_fleet_keys(CredentialSource{"", path}, "").error().fault, Fault::missing);
}

}  // namespace
}  // namespace keyturn
