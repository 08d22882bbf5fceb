#include "base/trust.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <unistd.h>

namespace keyturn {
namespace {

using testing::HasSubstr;

class TrustTest : public testing::Test {
  protected:
    TrustTest() {
        std::string pattern = (std::filesystem::temp_directory_path() / "keyturn-XXXXXX").string();
        root_ = ::mkdtemp(pattern.data());
        file_ = root_ + "/etc/keyturn/ca.pem";
        std::filesystem::create_directories(root_ + "/etc/keyturn");
        std::ofstream(file_) << "content";
        set_mode(file_, 0644);
    }
    void SetUp() override { ASSERT_EQ(::geteuid(), 0U) << "this test gives files away: be root"; }
    ~TrustTest() override { std::filesystem::remove_all(root_); }

    static void set_mode(const std::string& path, mode_t mode) {
        EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    }

    std::string why() const {
        const Result<void> checked = check_trusted_file(file_);
        return checked ? "" : checked.error().text;
    }

    std::string root_;
    std::string file_;
};

TEST_F(TrustTest, AFileOfRootBelowTmpIsTrusted) {
    EXPECT_EQ(why(), "");
}

TEST_F(TrustTest, AFileThatOthersMayWriteIsNot) {
    set_mode(file_, 0664);
    EXPECT_EQ(why(), file_ +
                         " is writable by its group, who could change what keyturnd does (mode "
                         "0664); run `chmod go-w` on it");
}

TEST_F(TrustTest, AFileOfSomebodyElseIsNot) {
    ASSERT_EQ(::chown(file_.c_str(), 65534, 65534), 0);
    EXPECT_THAT(why(), HasSubstr(file_ + " is owned by user id 65534"));
    EXPECT_THAT(why(), HasSubstr("chown root"));
}

TEST_F(TrustTest, ADirectoryOnTheWayThatOthersMayWriteIsNot) {
    set_mode(root_ + "/etc", 0777);
    EXPECT_EQ(why(), root_ +
                         "/etc is writable by everybody, who could change what keyturnd does (mode "
                         "0777); run `chmod go-w` on it");
    set_mode(root_ + "/etc", 01777);
    EXPECT_EQ(why(), "") << "nobody else can remove what is in it";
}

TEST_F(TrustTest, ADirectoryOfSomebodyElseIsNot) {
    ASSERT_EQ(::chown((root_ + "/etc").c_str(), 65534, 65534), 0);
    EXPECT_THAT(why(), HasSubstr(root_ + "/etc is owned by user id 65534"));
}

TEST_F(TrustTest, BothEndsOfALinkCount) {
    std::filesystem::create_directories(root_ + "/other");
    std::filesystem::rename(file_, root_ + "/other/ca.pem");
    std::filesystem::create_symlink(root_ + "/other/ca.pem", file_);
    EXPECT_EQ(why(), "");
    set_mode(root_ + "/other", 0775);
    EXPECT_THAT(why(), HasSubstr(root_ + "/other is writable by its group"));
    set_mode(root_ + "/other", 0755);
    set_mode(root_ + "/etc/keyturn", 0775);
    EXPECT_THAT(why(), HasSubstr(root_ + "/etc/keyturn is writable by its group"));
}

TEST_F(TrustTest, WhatIsMissingOrNoFileIsSaid) {
    std::filesystem::remove(file_);
    EXPECT_EQ(check_trusted_file(file_).error().fault, Fault::missing);
    std::filesystem::create_directory(file_);
    EXPECT_THAT(why(), HasSubstr("is not a regular file"));
}

}  // namespace
}  // namespace keyturn
