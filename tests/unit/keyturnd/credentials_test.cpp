#include "keyturnd/credentials.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>

namespace keyturn {
namespace {

using testing::HasSubstr;

class CredentialsTest : public testing::Test {
  protected:
    CredentialsTest() {
        std::string pattern = (std::filesystem::temp_directory_path() / "keyturn-XXXXXX").string();
        directory_ = ::mkdtemp(pattern.data());
    }
    ~CredentialsTest() override {
        ::unsetenv("CREDENTIALS_DIRECTORY");
        std::filesystem::remove_all(directory_);
    }

    std::string write(const std::string& content, mode_t mode = 0600) {
        const std::string path = directory_ + "/api";
        std::ofstream(path) << content;
        EXPECT_EQ(::chmod(path.c_str(), mode), 0);
        return path;
    }

    static CredentialSource file(const std::string& path) { return CredentialSource{"", path}; }

    std::string directory_;
};

TEST_F(CredentialsTest, AreReadFromAFileWithoutTheSpaceAround) {
    const Result<Secret> read = read_credential(file(write("  sesame\n")));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->reveal(), "sesame");
}

TEST_F(CredentialsTest, AreReadFromSystemd) {
    write("sesame\n", 0440);
    ::setenv("CREDENTIALS_DIRECTORY", directory_.c_str(), 1);
    const Result<Secret> read = read_credential(CredentialSource{"api", ""});
    ASSERT_TRUE(read) << read.error().text;
    EXPECT_EQ(read->reveal(), "sesame");
}

TEST_F(CredentialsTest, SayWhenSystemdGaveNone) {
    const Result<Secret> read = read_credential(CredentialSource{"api", ""});
    ASSERT_FALSE(read);
    EXPECT_THAT(read.error().text, HasSubstr("LoadCredential=api:PATH"));
}

TEST_F(CredentialsTest, AreRefusedWhenOthersCanReadThem) {
    const Result<Secret> read = read_credential(file(write("sesame", 0640)));
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().fault, Fault::denied);
    EXPECT_THAT(read.error().text, HasSubstr("chmod 600"));
    EXPECT_THAT(read.error().text, Not(HasSubstr("sesame")));
}

TEST_F(CredentialsTest, AreReadAsEditorsAndShellsWriteThem) {
    const Result<Secret> read = read_credential(file(write("\xef\xbb\xbf\"sesame\"\r\n")));
    ASSERT_TRUE(read) << read.error().text;
    EXPECT_EQ(read->reveal(), "sesame");
}

TEST_F(CredentialsTest, SayWhatElseTheFileHolds) {
    const auto refusal = [&](const std::string& content) {
        const Result<Secret> read = read_credential(file(write(content)));
        return read ? std::string() : read.error().text;
    };
    EXPECT_EQ(refusal("API_TOKEN=sesame\n"),
              directory_ +
                  "/api holds a name before the API token (NAME=value); write the API "
                  "token into it, and nothing else");
    EXPECT_THAT(refusal("eyJhIjoiNjk5"), HasSubstr("holds a tunnel token"));
    EXPECT_THAT(refusal(std::string(5000, 'a')), HasSubstr("too long"));
}

TEST_F(CredentialsTest, AreRefusedWhenEmptyMissingOrALink) {
    EXPECT_THAT(read_credential(file(write(" \n"))).error().text, HasSubstr("is empty"));
    EXPECT_EQ(read_credential(file(directory_ + "/none")).error().fault, Fault::missing);
    std::filesystem::create_symlink(directory_ + "/api", directory_ + "/link");
    EXPECT_EQ(read_credential(file(directory_ + "/link")).error().fault, Fault::invalid);
    EXPECT_EQ(read_credential(file(directory_)).error().fault, Fault::invalid);
}

}  // namespace
}  // namespace keyturn
