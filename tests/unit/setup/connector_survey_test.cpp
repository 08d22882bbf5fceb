#include "setup/connector_survey.hpp"

#include "setup/host_file.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <unistd.h>

namespace keyturn {
namespace {

/// A unit with keyturn's drop-in, and a token file that it names.
class NextStart : public ::testing::Test {
  protected:
    NextStart() {
        std::string name = (std::filesystem::temp_directory_path() / "keyturn-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
        token_.account = "699d98642c564d2e855e9661899b7252";
        token_.tunnel = "f70ff985-a4ef-4643-bbbc-4a0ed4fc8415";
        token_.secret = Secret::copy_of(std::string(secret_size_min, 'x'));
        const FileOwner owner{0600, ::geteuid(), ::getegid()};
        EXPECT_TRUE(write_host_file(path(), encode_token(token_).reveal(), owner));
        settings_.name = "cloudflared.service";
        settings_.files = {"/etc/systemd/system/cloudflared.service",
                           "/etc/systemd/system/cloudflared.service.d/zz-keyturn.conf"};
        settings_.exec_start = {{"cloudflared", "tunnel", "run", "--token-file", "%d/token"}};
        settings_.load_credentials = {{"token", path()}};
    }
    ~NextStart() override { std::filesystem::remove_all(folder_); }

    [[nodiscard]] std::string path() const { return folder_ / "web"; }

    std::filesystem::path folder_;
    TunnelToken token_;
    UnitSettings settings_;
};

TEST_F(NextStart, FindsTheTokenThroughTheDropIn) {
    const auto found = token_of_next_start(settings_, {});
    ASSERT_TRUE(found);
    EXPECT_EQ(fingerprint_of(*found), fingerprint_of(token_));
}

TEST_F(NextStart, IsUnknownWithoutOurDropInOrWhereATokenOverridesIt) {
    ConnectorFiles files;
    files.configuration.token = true;
    EXPECT_FALSE(token_of_next_start(settings_, files));
    settings_.files.pop_back();
    EXPECT_FALSE(token_of_next_start(settings_, {}));
}

TEST_F(NextStart, IsUnknownWithoutTheTokenFile) {
    std::filesystem::remove(path());
    EXPECT_FALSE(token_of_next_start(settings_, {}));
}

}  // namespace
}  // namespace keyturn
