#include "cloudflared/attestation.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace keyturn {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class AttestationTest : public ::testing::Test {
  protected:
    AttestationTest() {
        std::string name = (std::filesystem::temp_directory_path() / "keyturn-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
        settings_.name = "cloudflared.service";
        settings_.exec_start = {{"cloudflared", "tunnel", "run", "--token-file", "%d/token"}};
        write("token: none\n");
        attestation_ = {settings_.name,
                        "2026-11-28",
                        "salt",
                        settings_digest(settings_, "salt"),
                        {*look_at_file(path()), *look_at_file(path() + ".absent")}};
    }
    ~AttestationTest() override { std::filesystem::remove_all(folder_); }

    [[nodiscard]] std::string path() const { return folder_ / "config.yml"; }
    void write(const char* text) const { std::ofstream(path()) << text; }

    /// What is still unseen.
    [[nodiscard]] std::vector<std::string> left() const {
        ConnectorFiles files;
        files.unseen = {path(), path() + ".absent"};
        accept_attested(settings_, attestation_, files);
        return files.unseen;
    }

    std::filesystem::path folder_;
    UnitSettings settings_;
    Attestation attestation_;
};

TEST_F(AttestationTest, CoversWhatIsAsItWas) {
    EXPECT_THAT(left(), IsEmpty());
    const auto read = read_attestation(write_attestation(attestation_));
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, attestation_);
}

TEST_F(AttestationTest, HoldsUntilTheUnitOrAFileChanges) {
    EXPECT_TRUE(still_holds(settings_, attestation_));
    settings_.environment = {"HOME=/x"};
    EXPECT_FALSE(still_holds(settings_, attestation_));
    settings_.environment.clear();
    std::ofstream(path() + ".absent") << "x";
    EXPECT_FALSE(still_holds(settings_, attestation_));
}

TEST_F(AttestationTest, AFileThatHasChangedIsUnseenAgain) {
    write("token: another\n");
    EXPECT_THAT(left(), ElementsAre(path()));
    std::ofstream(path() + ".absent") << "x";
    EXPECT_THAT(left(), ElementsAre(path(), path() + ".absent"));
}

TEST_F(AttestationTest, AnotherCommandOrEnvironmentIsNotCovered) {
    settings_.exec_start.front().push_back("--config=/x");
    EXPECT_THAT(left(), ElementsAre(path(), path() + ".absent"));
    settings_.exec_start.front().pop_back();
    EXPECT_THAT(left(), IsEmpty());
    settings_.environment = {"HOME=/x"};
    EXPECT_FALSE(left().empty());
}

TEST_F(AttestationTest, AnotherUnitsIsWorthNothing) {
    attestation_.unit = "other.service";
    EXPECT_FALSE(left().empty());
}

TEST_F(AttestationTest, OnlyFilesThatItNames) {
    attestation_.files.pop_back();
    EXPECT_THAT(left(), ElementsAre(path() + ".absent"));
}

TEST(SettingsDigest, DependsOnTheSaltAndOnWhereAValueEnds) {
    UnitSettings one;
    one.exec_start = {{"a", "b"}};
    UnitSettings other;
    other.exec_start = {{"a b"}};
    EXPECT_NE(settings_digest(one, "x"), settings_digest(other, "x"));
    EXPECT_NE(settings_digest(one, "x"), settings_digest(one, "y"));
}

TEST(ReadAttestation, OtherTexts) {
    for (const char* text : {"", "[]", "{}", "{\"version\":2}", "{\"version\":1,\"unit\":1}"})
        EXPECT_EQ(read_attestation(text).error().fault, Fault::invalid) << text;
}

}  // namespace
}  // namespace keyturn
