#include "token/token.hpp"

#include "token/base64.hpp"

#include <gtest/gtest.h>

#include <string>

namespace keyturn {
namespace {

constexpr const char* account = "699d98642c564d2e855e9661899b7252";
constexpr const char* tunnel = "f70ff985-a4ef-4643-bbbc-4a0ed4fc8415";
constexpr const char* secret_text = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

TunnelToken example() {
    Secret secret(32);
    for (std::size_t i = 0; i < 32; ++i) secret.data()[i] = static_cast<char>(i);
    return TunnelToken{account, tunnel, std::move(secret), {}};
}

Result<TunnelToken> decoded_json(std::string_view json) {
    return decode_token(encode_base64(json).reveal());
}

std::string json_with(const std::string& secret) {
    return std::string(R"({"a":")") + account + R"(","t":")" + tunnel + R"(","s":")" + secret +
           "\"}";
}

std::string why(std::string_view json) {
    const Result<TunnelToken> token = decoded_json(json);
    if (token) return "(accepted)";
    EXPECT_EQ(token.error().fault, Fault::invalid);
    return token.error().text.substr(std::string_view("the token cannot be used: ").size());
}

TEST(Token, EncodesAsCloudflaredDoes) {
    const Secret text = encode_token(example());
    // Made with: printf '{"a":...,"s":...,"t":...}' | base64 -w0
    EXPECT_EQ(
        text.reveal(),
        "eyJhIjoiNjk5ZDk4NjQyYzU2NGQyZTg1NWU5NjYxODk5YjcyNTIiLCJzIjoiQUFFQ0F3UUZCZ2NJQ1FvTERBME9E"
        "eEFSRWhNVUZSWVhHQmthR3h3ZEhoOD0iLCJ0IjoiZjcwZmY5ODUtYTRlZi00NjQzLWJiYmMtNGEwZWQ0ZmM4NDE1"
        "In0=");
    TunnelToken federal = example();
    federal.endpoint = "fed";
    const std::optional<Secret> json = decode_base64(encode_token(federal).reveal());
    ASSERT_TRUE(json);
    EXPECT_TRUE(
        json->reveal().ends_with(R"("t":"f70ff985-a4ef-4643-bbbc-4a0ed4fc8415","e":"fed"})"));
}

TEST(Token, TakesForNamesWhatAJournalFieldMayHold) {
    TunnelToken token = example();
    for (const char* name : {"a_b", "a.b", "A-Z"}) {
        token.account = name;
        EXPECT_TRUE(decode_token(encode_token(token).reveal())) << name;
    }
    for (const std::string& name :
         {std::string("a{b"), std::string("a b"), std::string(300, 'a')}) {
        token.account = name;
        EXPECT_FALSE(decode_token(encode_token(token).reveal())) << name;
    }
}

TEST(Token, DecodesWhatItEncodes) {
    TunnelToken token = example();
    for (const char* endpoint : {"", "fed"}) {
        token.endpoint = endpoint;
        const Result<TunnelToken> back = decode_token(encode_token(token).reveal());
        ASSERT_TRUE(back);
        EXPECT_EQ(back->account, account);
        EXPECT_EQ(back->tunnel, tunnel);
        EXPECT_EQ(back->endpoint, endpoint);
        EXPECT_TRUE(same_secret(back->secret, token.secret));
    }
}

TEST(Token, IgnoresWhiteSpaceAroundItOnly) {
    const std::string text(encode_token(example()).reveal());
    EXPECT_TRUE(decode_token(" \r\n" + text + "\n\t"));
    EXPECT_FALSE(decode_token(text.substr(0, 40) + "\n" + text.substr(40)));
    EXPECT_FALSE(decode_token(text + "\n" + text));
}

TEST(Token, TellsIdsInLowerCase) {
    TunnelToken token = example();
    token.account = "699D98642C564D2E855E9661899B7252";
    token.tunnel = "F70FF985-A4EF-4643-BBBC-4A0ED4FC8415";
    const Result<TunnelToken> back = decode_token(encode_token(token).reveal());
    ASSERT_TRUE(back);
    EXPECT_EQ(back->account, account);
    EXPECT_EQ(back->tunnel, tunnel);
}

TEST(Token, TakesAnyOrderAndOtherMembers) {
    EXPECT_EQ(why(std::string(R"({"x":[1,2],"s":")") + secret_text +
                  R"(","t":"f70ff985-a4ef-4643-bbbc-4a0ed4fc8415","extra":null,"a":"A"})"),
              "(accepted)");
}

TEST(Token, RefusesWhatCannotBeOne) {
    EXPECT_EQ(why(json_with(secret_text)), "(accepted)");
    EXPECT_EQ(why("{}"), "it has no secret");
    EXPECT_EQ(why(json_with("")), "its secret is shorter than 32 bytes");
    EXPECT_EQ(why(json_with("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==")),
              "its secret is shorter than 32 bytes");
    EXPECT_EQ(why(json_with("not base64!")), "its secret is not base64");
    EXPECT_EQ(why(std::string(R"({"t":"T","s":")") + secret_text + "\"}"), "it names no account");
    EXPECT_EQ(why(std::string(R"({"a":"","t":"T","s":")") + secret_text + "\"}"),
              "it names no account");
    EXPECT_EQ(why(std::string(R"({"a":"A","s":")") + secret_text + "\"}"), "it names no tunnel");
    for (const char* id :
         {"T", "f70ff985a4ef4643bbbc4a0ed4fc8415", "f70ff985-a4ef-4643-bbbc-4a0ed4fc841g",
          "f70ff985-a4ef-4643-bbbc-4a0ed4fc84155", "f70ff985-a4ef-4643-bbbc04a0ed4fc8415"}) {
        EXPECT_EQ(why(std::string(R"({"a":"A","t":")") + id + R"(","s":")" + secret_text + "\"}"),
                  "its tunnel is not a UUID")
            << id;
    }
    EXPECT_EQ(why(std::string(R"({"a":"A/../B","t":"T","s":")") + secret_text + "\"}"),
              "account, tunnel or endpoint is not a plain word");
    EXPECT_EQ(why(json_with(secret_text) + "x"),
              "it is not a JSON object, or it exceeds keyturn's limits");
}

TEST(Token, RefusesWhatCloudflaredWouldReadInAnotherWay) {
    const std::string other = "\"ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=\"";
    const std::string text = json_with(secret_text);
    const std::string open = text.substr(0, text.size() - 1);
    for (const char* key : {"S", "T", "E", "A", "\xc5\xbf"}) {
        for (const std::string& value : {other, std::string("7"), std::string("null")}) {
            EXPECT_EQ(why(open + ",\"" + key + "\":" + value + "}"),
                      "a key contains capitals or letters outside ASCII")
                << key;
        }
    }
    for (const char* key : {"s", "a", "t"})
        EXPECT_EQ(why(open + ",\"" + key + "\":" + other + "}"), "a key occurs twice") << key;
    for (const char* key : {"s", "a", "t", "e"}) {
        for (const char* value : {"7", "null", "true", "[]", "{}"}) {
            EXPECT_EQ(why(open + ",\"" + key + "\":" + value + "}"),
                      "its account, secret, tunnel or endpoint is not a string")
                << key << value;
        }
    }
    EXPECT_EQ(why(open + ",\"x\":" + other + ",\"x\":" + other + "}"), "(accepted)");
}

TEST(Token, RefusesTextsThatAreEmptyTooLongOrNoBase64) {
    for (const std::string& text : {std::string(), std::string(" \n"), std::string("%%%%"),
                                    std::string(token_size_max + 4, 'A')}) {
        const Result<TunnelToken> token = decode_token(text);
        ASSERT_FALSE(token);
        EXPECT_EQ(token.error().fault, Fault::invalid);
    }
    EXPECT_EQ(decode_token(std::string(token_size_max + 4, 'A')).error().text,
              "the token cannot be used: it is longer than 4096 bytes");
}

TEST(Token, RefusesEveryTruncation) {
    const std::string text(encode_token(example()).reveal());
    for (std::size_t size = 0; size < text.size(); ++size) {
        EXPECT_FALSE(decode_token(text.substr(0, size))) << size;
    }
}

TEST(Token, NeverTellsTheInputInAnError) {
    const std::string canary = "Y2FuYXJ5Y2FuYXJ5";
    for (const std::string& text : {canary, canary + "\x01", "{\"s\":\"" + canary + "\"}"}) {
        for (const Result<TunnelToken>& token : {decode_token(text), decoded_json(text)}) {
            ASSERT_FALSE(token);
            EXPECT_EQ(token.error().text.find("canary"), std::string::npos);
            EXPECT_EQ(token.error().text.find(canary), std::string::npos);
        }
    }
}

TEST(Token, IsTheSameWithoutRegardToTheCaseOfNames) {
    const TunnelToken token = example();
    TunnelToken other = example();
    other.tunnel = "F70FF985-A4EF-4643-BBBC-4A0ED4FC8415";
    other.account = "699D98642C564D2E855E9661899B7252";
    EXPECT_TRUE(same_token(token, other));
    EXPECT_EQ(fingerprint_of(token), fingerprint_of(other));
    EXPECT_EQ(rotation_id_of(token), rotation_id_of(other));
    other.endpoint = "fed";
    EXPECT_FALSE(same_token(token, other));
}

TEST(Token, IsAnotherOneWithAnotherSecretAccountOrTunnel) {
    const TunnelToken token = example();
    TunnelToken other = example();
    other.secret.data()[31] ^= 1;
    EXPECT_FALSE(same_token(token, other));
    EXPECT_NE(fingerprint_of(token), fingerprint_of(other));
    EXPECT_NE(rotation_id_of(token), rotation_id_of(other));
    other = example();
    other.account[0] = '7';
    EXPECT_FALSE(same_token(token, other));
    other = example();
    other.tunnel[0] = 'e';
    EXPECT_FALSE(same_token(token, other));
    EXPECT_NE(fingerprint_of(token), fingerprint_of(other));
}

TEST(Token, HasANameThatStaysTheSame) {
    // Made with: printf 'keyturn%s' TUNNEL | cat - SECRET | sha256sum. History files hold these, so
    // another formula would take every token for a changed one.
    EXPECT_EQ(fingerprint_of(example()), "c23a01b565c1b11b");
    EXPECT_EQ(rotation_id_of(example()), "541b404cd4e821ae48137ebf6a0948b0");
}

TEST(Token, EncodesTheSecretForTheApi) {
    EXPECT_EQ(encode_secret(example().secret).reveal(), secret_text);
}

}  // namespace
}  // namespace keyturn
