#include "doctor/dump.hpp"

#include "token/token.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace keyturn {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* account = "699d98642c564d2e855e9661899b7252";
constexpr const char* tunnel = "f70ff985-a4ef-4643-bbbc-4a0ed4fc8415";

std::string token_text() {
    TunnelToken token{
        account, tunnel, Secret::copy_of("\x01\xfe 0123456789abcdefghijklmnopqrst"), {}};
    return std::string(encode_token(token).reveal());
}

TEST(Redactor, LeavesWhatPeopleCompare) {
    const Redactor redactor;
    for (const char* text :
         {"ConditionPathExists=/etc/keyturn/keyturn.yaml\n",
          "FragmentPath=/usr/lib/systemd/system/systemd-networkd-wait-online@.service\n",
          "InvocationID=0123456789abcdef0123456789abcdef\n",
          "LoadCredential=tunnel-token:/var/lib/keyturn/tokens/web\n",
          "2026-11-29T18:00:00Z rotation_id=0123456789abcdef0123456789abcdef\n",
          "fingerprint 0123456789abcdef, account 699d98642c564d2e855e9661899b7252\n",
          "DropInPaths=/etc/systemd/system/cloudflared-web@1.service.d/10-keyturn.conf\n",
          "tunnel f70ff985-a4ef-4643-bbbc-4a0ed4fc8415 at https://api.cloudflare.com/client/v4\n",
          "\tIndented, and with two lines\nand an empty one\n\n"}) {
        EXPECT_EQ(redactor.prose(text).text, text);
        EXPECT_EQ(redactor.prose(text).count, 0U) << text;
    }
}

TEST(Redactor, TakesAwayWhatCouldBeACredential) {
    const Redactor redactor;
    for (const std::string& text :
         {token_text(), std::string("cfut_write-00000000000000000000000000000001"),
          std::string("x/AbCdEf0123456789AbCdEf0123456789AbCdEf0123="),
          std::string("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
          std::string("Bearer"), std::string("1234567890abcdef1234567890abcdef12345")}) {
        const Redacted safe = redactor.prose("before " + text + " after\n");
        EXPECT_EQ(safe.text, "before [redacted] after\n");
        EXPECT_EQ(safe.count, 1U);
    }
    EXPECT_EQ(redactor.prose("https://me:secret@proxy:8080/x\n").text,
              "https://[redacted]@proxy:8080/x\n");
}

TEST(Redactor, CountsOnlyItsOwn) {
    EXPECT_EQ(Redactor().prose("said [redacted] before cfut_x\n").count, 1U);
}

TEST(Redactor, TakesAwayWhatItWasToldInEachForm) {
    Redactor redactor;
    redactor.know("A Sh0rt-0ne-12x word");
    redactor.know(token_text());
    const auto token = decode_token(token_text());
    ASSERT_TRUE(token);
    redactor.know("{\"rotation\":\"0123456789abcdef0123456789abcdef\"}");
    EXPECT_EQ(redactor.prose("0123456789abcdef0123456789abcdef\n").count, 0U);
    EXPECT_EQ(redactor.prose("it is Sh0rt-0ne-12x, a word\n").text, "it is [redacted], a word\n");
    const std::string raw(token->secret.reveal());
    EXPECT_THAT(redactor.prose("raw " + raw + "\n").text, Not(HasSubstr("0123456789abc")));
    const std::string encoded(encode_secret(token->secret).reveal());
    EXPECT_EQ(redactor.prose("a" + encoded + "\n").text, "a[redacted]\n");
}

TEST(Redactor, TakesAwayValuesWhoseKeysSayWhatTheyAre) {
    const Redactor redactor;
    for (const char* key : {"password: ", "DB_PASSWORD=", "tunnel_secret: ", "\"api_key\" : \"",
                            "# my secret is = ", "Authorization: ", "{api_token: "}) {
        EXPECT_EQ(redactor.settings(key + std::string("hunter2 and more\n")).text,
                  key + std::string("[redacted]\n"));
    }
    for (const char* text : {"credential: main\n", "token: {store: keyturn}\n", "secret:\n",
                             "# The secret of the tunnel changes on Sundays.\n"})
        EXPECT_EQ(redactor.settings(text).text, text);
}

TEST(Redactor, TakesSecretsOutOfUnits) {
    struct Case {
        const char* line;
        const char* safe;
    };
    for (const Case& one : std::initializer_list<Case>{
             {"ExecStart=/usr/bin/cloudflared tunnel run --token abc",
              "ExecStart=/usr/bin/cloudflared tunnel run --token [redacted]"},
             {"ExecStart=/usr/bin/cloudflared tunnel run --token \"abc\"",
              "ExecStart=/usr/bin/cloudflared tunnel run --token \"[redacted]\""},
             {"ExecStart=sh -c 'cloudflared tunnel run --token=abc'",
              "ExecStart=sh -c 'cloudflared tunnel run --token=[redacted]'"},
             {"# ExecStart=cloudflared tunnel run -token abc x",
              "# ExecStart=cloudflared tunnel run -token [redacted] x"},
             {"ExecStart=cloudflared run --token \\\n  # A comment\n  abc",
              "ExecStart=cloudflared run --token    [redacted]"},
             {"ExecStart=cloudflared run --credentials-contents '{\"s\": \"a b\"}'",
              "ExecStart=cloudflared run --credentials-contents [redacted]"},
             {"Environment=TUNNEL_TOKEN=abc HOME=/root \"A=b \\\" c\" d 'e=f'",
              "Environment=TUNNEL_TOKEN=[redacted] HOME=/root A=[redacted] [redacted] "
              "e=[redacted]"},
             {"Environment = A=\"b c\"", "Environment=A=[redacted]"},
             {"SetCredential=cloudflare-api-token:abc",
              "SetCredential=cloudflare-api-token:[redacted]"},
             {"ExecStart=env TUNNEL_TOKEN=abc cloudflared tunnel run",
              "ExecStart=env TUNNEL_TOKEN=[redacted] cloudflared tunnel run"},
             {"[Unit]\nAfter=a.service \\\n b.service\n\n[Service]",
              "[Unit]\nAfter=a.service   b.service\n\n[Service]"}}) {
        EXPECT_EQ(Redactor().unit(one.line).text, one.safe + std::string("\n"));
    }
}

TEST(Redactor, TakesSecretsOutOfJson) {
    const Redactor redactor;
    const std::string token = token_text();
    const Redacted whole = redactor.json(fmt::format(
        R"({{"a":["x \" {0}",1,null],"{0}":true,"b":"two\nlines","bytes":[1,2,3,4,5,6,7,255]}})",
        token));
    EXPECT_EQ(whole.count, 2U);
    EXPECT_THAT(whole.text, HasSubstr(R"("x \" [redacted]")"));
    EXPECT_THAT(whole.text, HasSubstr(R"("two\nlines")"));
    EXPECT_THAT(whole.text, HasSubstr(R"("bytes": "[redacted]")"));
    EXPECT_EQ(redactor.json("{\"a\":1}\nno JSON " + token + "\n{\"b\":[]}\n").text,
              "{\"a\":1}\nno JSON [redacted]\n{\"b\":[]}\n");
}

TEST(Manifest, ListsEachFile) {
    const std::string text = manifest(
        "Heading",
        {{"units/a.txt", "systemctl cat a", {"four", 2}, {}}, {"b", "/b", {"", 0}, "cut"}});
    EXPECT_EQ(text,
              "Heading\n"
              "    bytes redacted  file\n"
              "        4        2  units/a.txt\n"
              "                    from systemctl cat a\n"
              "        0        0  b\n"
              "                    from /b\n"
              "                    cut\n");
}

TEST(JournalPart, HasTheNewestEntriesInTheOrderOfTime) {
    const std::string newest_first =
        "{\"MESSAGE\":\"3\",\"_PID\":\"1\",\"_CMDLINE\":\"x\"}\n{\"MESSAGE\":\"2\"}\n{\"MESSAGE\":"
        "\"1\"}\n";
    const JournalPart all = part_of_journal(newest_first, {});
    EXPECT_EQ(all.text,
              "{\"MESSAGE\":\"1\"}\n{\"MESSAGE\":\"2\"}\n{\"MESSAGE\":\"3\",\"_PID\":\"1\"}\n");
    EXPECT_FALSE(all.cut);
    const JournalPart two = part_of_journal(newest_first, {7, 2, 1000});
    EXPECT_EQ(two.text, "{\"MESSAGE\":\"2\"}\n{\"MESSAGE\":\"3\",\"_PID\":\"1\"}\n");
    EXPECT_TRUE(two.cut);
    EXPECT_FALSE(part_of_journal(newest_first, {7, 3, 1000}).cut);
    const JournalPart small = part_of_journal(newest_first, {7, 1000, 30});
    EXPECT_EQ(small.text, "{\"MESSAGE\":\"3\",\"_PID\":\"1\"}\n");
    EXPECT_TRUE(small.cut);
    const JournalPart broken = part_of_journal(newest_first + "{\"MESS", {});
    EXPECT_EQ(broken.text, all.text);
    EXPECT_TRUE(broken.cut);
}

}  // namespace
}  // namespace keyturn
