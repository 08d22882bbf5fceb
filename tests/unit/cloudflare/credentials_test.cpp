#include "cloudflare/credentials.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace keyturn {
namespace {

using testing::HasSubstr;

class CredentialsTest : public testing::Test {
  protected:
    CredentialsTest() {
        std::string pattern = (std::filesystem::temp_directory_path() / "keyturn-XXXXXX").string();
        directory_ = ::mkdtemp(pattern.data());
    }
    ~CredentialsTest() override { std::filesystem::remove_all(directory_); }

    std::string write(const std::string& content, mode_t mode = 0600) {
        const std::string path = directory_ + "/api";
        std::ofstream(path) << content;
        EXPECT_EQ(::chmod(path.c_str(), mode), 0);
        return path;
    }

    static CredentialSource file(const std::string& path) { return CredentialSource{"", path}; }

    std::string directory_;
    std::string credentials_;  ///< Where systemd has put them; empty: nowhere.
};

TEST_F(CredentialsTest, AreReadFromAFileWithoutTheSpaceAround) {
    const Result<Secret> read = read_credential(file(write("  sesame\n")), credentials_);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->reveal(), "sesame");
}

TEST_F(CredentialsTest, AreReadFromSystemd) {
    write("sesame\n", 0440);
    credentials_ = directory_;
    const Result<Secret> read = read_credential(CredentialSource{"api", ""}, credentials_);
    ASSERT_TRUE(read) << read.error().text;
    EXPECT_EQ(read->reveal(), "sesame");
}

TEST_F(CredentialsTest, SayWhenSystemdGaveNone) {
    const Result<Secret> read = read_credential(CredentialSource{"api", ""}, credentials_);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().fault, Fault::missing);
    EXPECT_THAT(read.error().text, HasSubstr("LoadCredential=api:PATH"));
    EXPECT_THAT(read.error().text, HasSubstr("install -m 600 /dev/stdin /etc/keyturn/api"));
}

TEST_F(CredentialsTest, KnowWhatTheUnitHandsOverWhereThereIsNoFile) {
    write("none");
    credentials_ = directory_;
    const Result<Secret> read = read_credential(CredentialSource{"api", ""}, credentials_);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().fault, Fault::missing);
    EXPECT_EQ(read_credential(CredentialSource{"other", ""}, credentials_).error().fault,
              Fault::missing);
}

TEST_F(CredentialsTest, ThatAreMissingAreToldByTheCallsThatNeedThem) {
    Policy policy;
    policy.cloudflare.credentials["main"] = file(write("sesame"));
    policy.cloudflare.credentials["other"] = file(directory_ + "/none");
    const auto missing = check_credentials(policy, credentials_);
    ASSERT_TRUE(missing) << missing.error().text;
    EXPECT_THAT(*missing, testing::SizeIs(1));
    const Error& why = missing->at("other");
    EXPECT_EQ(why.fault, Fault::denied);
    EXPECT_THAT(why.text, HasSubstr(directory_ + "/none"));
    const auto read = api_token_reader(file(directory_ + "/none"), credentials_, false)();
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error(), why);
}

TEST_F(CredentialsTest, ThatCannotBeUsedAreFoundAtTheStart) {
    Policy policy;
    policy.cloudflare.credentials["main"] = file(write("sesame", 0640));
    const auto missing = check_credentials(policy, credentials_);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().fault, Fault::denied);
    EXPECT_THAT(missing.error().text, HasSubstr("credential main: " + directory_ + "/api is"));
}

TEST_F(CredentialsTest, AreReadAgainForEachCall) {
    const ReadApiToken read = api_token_reader(file(write("sesame")), credentials_, true);
    EXPECT_EQ(read()->reveal(), "sesame");
    write("barley");
    EXPECT_EQ(read()->reveal(), "barley") << "the new one, without a reload";
}

TEST_F(CredentialsTest, ThatSomebodyIsReplacingAreWaitedFor) {
    const ReadApiToken read = api_token_reader(file(write("sesame")), credentials_, true);
    for (const char* half : {"", "two\nlines"}) {
        write(half);
        const auto token = read();
        ASSERT_FALSE(token);
        EXPECT_EQ(token.error().fault, Fault::unreachable) << token.error().text;
        EXPECT_THAT(token.error().text, HasSubstr(directory_ + "/api"));
    }
    std::filesystem::remove(directory_ + "/api");
    EXPECT_EQ(read().error().fault, Fault::unreachable);
    write("barley");
    EXPECT_EQ(read()->reveal(), "barley");
}

TEST_F(CredentialsTest, ThatAppearLaterAreUsedFromThenOn) {
    const ReadApiToken read = api_token_reader(file(directory_ + "/api"), credentials_, false);
    EXPECT_EQ(read().error().fault, Fault::denied) << "a person has to put it there";
    write("sesame");
    EXPECT_EQ(read()->reveal(), "sesame");
}

TEST_F(CredentialsTest, AreRefusedWhenOthersCanChangeThem) {
    const std::string path = write("sesame");
    ASSERT_EQ(::chown(path.c_str(), 65534, 65534), 0) << "be root: this gives a file away";
    EXPECT_THAT(read_credential(file(path), credentials_).error().text,
                HasSubstr("owned by user id 65534"));
    ASSERT_EQ(::chown(path.c_str(), 0, 0), 0);
    ASSERT_EQ(::chmod(directory_.c_str(), 0770), 0);
    const Result<Secret> read = read_credential(file(path), credentials_);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().fault, Fault::denied);
    EXPECT_THAT(read.error().text, HasSubstr(directory_ + " is writable by its group"));
    const auto checked = check_credentials(Policy(), directory_);
    ASSERT_FALSE(checked) << "what systemd hands over is checked once";
    EXPECT_EQ(checked.error().fault, Fault::denied);
    EXPECT_THAT(checked.error().text, HasSubstr(directory_ + " is writable by its group"));
}

TEST_F(CredentialsTest, AreRefusedWithACaFileThatOthersCanChange) {
    Policy policy;
    policy.cloudflare.ca_file = write("certificates", 0666);
    const auto read = check_credentials(policy, credentials_);
    ASSERT_FALSE(read);
    EXPECT_THAT(read.error().text, HasSubstr("ca_file: " + directory_ + "/api is writable by"));
    ASSERT_EQ(::chmod(policy.cloudflare.ca_file.c_str(), 0644), 0);
    EXPECT_TRUE(check_credentials(policy, credentials_));
}

TEST_F(CredentialsTest, AreRefusedWhenOthersCanReadThem) {
    const Result<Secret> read = read_credential(file(write("sesame", 0640)), credentials_);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().fault, Fault::denied);
    EXPECT_THAT(read.error().text, HasSubstr("chmod 600"));
    EXPECT_THAT(read.error().text, Not(HasSubstr("sesame")));
}

TEST_F(CredentialsTest, AreReadAsEditorsAndShellsWriteThem) {
    const Result<Secret> read =
        read_credential(file(write("\xef\xbb\xbf\"sesame\"\r\n")), credentials_);
    ASSERT_TRUE(read) << read.error().text;
    EXPECT_EQ(read->reveal(), "sesame");
}

TEST_F(CredentialsTest, SayWhatElseTheFileHolds) {
    const auto refusal = [&](const std::string& content) {
        const Result<Secret> read = read_credential(file(write(content)), credentials_);
        return read ? std::string() : read.error().text;
    };
    EXPECT_EQ(refusal("API_TOKEN=sesame\n"),
              directory_ +
                  "/api contains a name before the API token (NAME=value); write the API token "
                  "into it, and nothing else");
    EXPECT_THAT(refusal("eyJhIjoiNjk5"), HasSubstr("contains a tunnel token"));
    EXPECT_THAT(refusal(std::string(5000, 'a')), HasSubstr("too long"));
}

TEST_F(CredentialsTest, AreRefusedWhenEmptyMissingOrALink) {
    EXPECT_THAT(read_credential(file(write(" \n")), credentials_).error().text,
                HasSubstr("is empty"));
    EXPECT_EQ(read_credential(file(directory_ + "/none"), credentials_).error().fault,
              Fault::missing);
    std::filesystem::create_symlink(directory_ + "/api", directory_ + "/link");
    EXPECT_EQ(read_credential(file(directory_ + "/link"), credentials_).error().fault,
              Fault::invalid);
    EXPECT_EQ(read_credential(file(directory_), credentials_).error().fault, Fault::invalid);
}

class ProxyLogin : public CredentialsTest {
  protected:
    ProxyPolicy policy_{"http://proxy.example:3128", {}, {}};
    ProxyVariables none_;
};

TEST_F(ProxyLogin, IsReadLikeAnApiToken) {
    policy_.login.file = write(" robot:open sesame\n");
    const ProxyChoice read = read_proxy(policy_, credentials_, none_);
    ASSERT_TRUE(read) << read.error().text;
    EXPECT_EQ((*read)->login.reveal(), "robot:open sesame");
    EXPECT_EQ((*read)->origin.host, "proxy.example");
    EXPECT_THAT((*read)->login_place, HasSubstr("`file` of `proxy`"));
    ASSERT_EQ(::chmod(policy_.login.file.c_str(), 0644), 0);
    const ProxyChoice open = read_proxy(policy_, credentials_, none_);
    ASSERT_FALSE(open);
    EXPECT_EQ(open.error().fault, Fault::denied);
    EXPECT_THAT(open.error().text, HasSubstr("readable by other users"));
}

TEST_F(ProxyLogin, IsNotNecessary) {
    const ProxyChoice read = read_proxy(policy_, credentials_, none_);
    ASSERT_TRUE(read);
    EXPECT_TRUE((*read)->login.empty());
}

TEST_F(ProxyLogin, IsMissedWhereThePolicyNamesOne) {
    policy_.login.credential = "api";
    write("none", 0400);
    for (const std::string& directory : {std::string(), directory_}) {
        const ProxyChoice read = read_proxy(policy_, directory, none_);
        ASSERT_FALSE(read);
        EXPECT_EQ(read.error().fault, Fault::denied);
        EXPECT_THAT(read.error().text, HasSubstr("the login of the proxy api is missing"));
        EXPECT_THAT(read.error().text, HasSubstr("paste USER:PASSWORD"));
    }
}

TEST_F(ProxyLogin, IsNeverQuoted) {
    for (const char* content : {"sesame", ":sesame", "a:sesame\nb:c", "a:ses\tame", ""}) {
        policy_.login.file = write(content);
        const ProxyChoice read = read_proxy(policy_, credentials_, none_);
        ASSERT_FALSE(read) << content;
        EXPECT_THAT(read.error().text, testing::Not(HasSubstr("ame"))) << content;
    }
}

TEST_F(ProxyLogin, ComesFromTheEnvironmentOnlyIfThePolicyNamesNoProxy) {
    const ProxyVariables variables{"http://other:pass@other.example:8080", "example.com"};
    const ProxyChoice own = read_proxy(policy_, credentials_, variables);
    ASSERT_TRUE(own);
    EXPECT_EQ((*own)->origin.host, "proxy.example");
    EXPECT_TRUE((*own)->no_proxy.empty());
    const ProxyChoice other = read_proxy({}, credentials_, variables);
    ASSERT_TRUE(other);
    EXPECT_EQ((*other)->login.reveal(), "other:pass");
    EXPECT_EQ(*read_proxy({}, credentials_, none_), nullptr);
}

}  // namespace
}  // namespace keyturn
