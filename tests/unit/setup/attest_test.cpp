#include "setup/attest.hpp"

#include <gmock/gmock.h>

namespace keyturn {
namespace {

using ::testing::HasSubstr;

constexpr const char* token_file = "/var/lib/keyturn/tokens/web";

UnitSettings adopted() {
    UnitSettings settings;
    settings.name = "cloudflared.service";
    settings.exec_start = {{"/usr/bin/cloudflared", "--config", "/no-such-folder/config.yml",
                            "tunnel", "run", "--token-file", token_file}};
    return settings;
}

TEST(Attest, NotesWhatItLookedAt) {
    const auto attestation = attest(adopted(), token_file, "2026-11-29");
    ASSERT_TRUE(attestation) << attestation.error().text;
    ASSERT_EQ(attestation->files.size(), 1U);
    EXPECT_FALSE(attestation->files.front().exists);
    EXPECT_EQ(attestation->date, "2026-11-29");
}

TEST(Attest, RefusesWhatOverridesTheTokenFile) {
    UnitSettings settings = adopted();
    settings.environment = {"TUNNEL_TOKEN=x"};
    EXPECT_THAT(attest(settings, token_file, "").error().text, HasSubstr("TUNNEL_TOKEN"));
    EXPECT_EQ(attest(adopted(), "/var/lib/keyturn/tokens/other", "").error().fault, Fault::denied);
}

TEST(Attest, RefusesSettingsThatSystemdHasNotRead) {
    UnitSettings settings = adopted();
    settings.need_daemon_reload = true;
    EXPECT_THAT(attest(settings, token_file, "").error().text, HasSubstr("daemon-reload"));
}

TEST(Attest, SaysWhatItAccepted) {
    Attestation attestation;
    attestation.unit = "cloudflared.service";
    attestation.files.resize(2);
    attestation.files[0].path = "/root/.cloudflared/config.yml";
    attestation.files[1].path = "/etc/cloudflared/config.yml";
    attestation.files[1].exists = true;
    EXPECT_EQ(text_of(attestation),
              "Root has looked at cloudflared.service again: nothing overrides keyturn's token "
              "file. Accepted as it is: /etc/cloudflared/config.yml. Not there: "
              "/root/.cloudflared/config.yml.");
}

}  // namespace
}  // namespace keyturn
