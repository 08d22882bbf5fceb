#include "policy/policy_file.hpp"

#include "policy/source_text.hpp"
#include "unit/policy/parts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace keyturn {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

class PolicyFile : public testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = (std::filesystem::temp_directory_path() / "policy-XXXXXX").string();
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        directory_ = pattern;
        path_ = (directory_ / "keyturn.yaml").string();
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }

    void write(const std::string& text, mode_t mode = 0644) {
        std::ofstream{path_} << text;
        ASSERT_EQ(::chmod(path_.c_str(), mode), 0);
    }

    [[nodiscard]] std::string problems() const { return problems_of(load_policy(path_)); }

    std::filesystem::path directory_;
    std::string path_;
};

TEST_F(PolicyFile, IsRead) {
    write(completed(""));
    EXPECT_EQ(load_policy(path_), parse_policy(completed(""), path_));
    EXPECT_EQ(problems(), "");
}

TEST_F(PolicyFile, NamesItsPathInProblems) {
    write(completed("gadgets: 1\n"));
    EXPECT_THAT(problems(), HasSubstr(path_ + ":1:1: unknown key `gadgets`"));
}

TEST_F(PolicyFile, MayBeReadOnly) {
    write(completed(""), 0400);
    EXPECT_EQ(problems(), "");
}

TEST_F(PolicyFile, ThatOthersMayWriteIsRefused) {
    write(completed(""), 0646);
    EXPECT_EQ(problems(), path_ +
                              ": writable by everybody, who could change what keyturnd does (mode "
                              "0646); run `chmod go-w` on it\n");
    write(completed(""), 0664);
    EXPECT_EQ(problems(), path_ +
                              ": writable by its group, who could change what keyturnd does (mode "
                              "0664); run `chmod go-w` on it\n");
}

TEST_F(PolicyFile, ThatIsNotThereIsRefused) {
    EXPECT_EQ(problems(), path_ + ": cannot be opened: No such file or directory\n");
}

TEST_F(PolicyFile, ThatIsADirectoryOrAFifoIsRefused) {
    path_ = directory_.string();
    EXPECT_EQ(problems(), path_ + ": not a regular file\n");
    path_ += "/fifo";
    ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
    EXPECT_EQ(problems(), path_ + ": not a regular file\n");
}

TEST_F(PolicyFile, OfAForeignOwnerIsRefused) {
    // Only root can give a file away; everybody else is shown a file of nobody that is always
    // there.
    write(completed(""));
    if (::geteuid() == 0) {
        ASSERT_EQ(::chown(path_.c_str(), 65534, 65534), 0);
    } else {
        GTEST_FAIL() << "run the unit tests as root: this one gives a file away";
    }
    EXPECT_EQ(problems(), path_ +
                              ": owned by user id 65534, who is neither root nor the user of this "
                              "process; run `chown root` on it\n");
}

TEST_F(PolicyFile, IsFollowedThroughALinkAndCheckedItself) {
    write(completed(""));
    const std::string target = path_;
    path_ = (directory_ / "link.yaml").string();
    ASSERT_EQ(::symlink(target.c_str(), path_.c_str()), 0);
    EXPECT_EQ(problems(), "");
    ASSERT_EQ(::chmod(target.c_str(), 0666), 0);
    EXPECT_THAT(problems(), HasSubstr("writable by everybody"));
}

TEST_F(PolicyFile, OfTooManyBytesIsRefused) {
    write(std::string(policy_bytes_max + 1, '#'));
    EXPECT_EQ(problems(), path_ + ": larger than 1024 KiB, the limit for a policy\n");
    write(std::string(policy_line_bytes_max, '#'));
    EXPECT_THAT(problems(), EndsWith("the policy is empty; start from the example keyturn.yaml\n"));
}

TEST(ExamplePolicies, AreSoundAndWithoutWarnings) {
    int checked = 0;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(KEYTURN_SOURCES "/config")) {
        if (entry.path().extension() != ".yaml") continue;
        std::ifstream file(entry.path());
        const std::string text{std::istreambuf_iterator<char>{file}, {}};
        const PolicyOutcome outcome = parse_policy(text, entry.path().filename().string());
        ASSERT_EQ(problems_of(outcome), "");
        EXPECT_THAT(std::get<Policy>(outcome).warnings, testing::IsEmpty());
        ++checked;
    }
    EXPECT_GE(checked, 1);
}

}  // namespace
}  // namespace keyturn
