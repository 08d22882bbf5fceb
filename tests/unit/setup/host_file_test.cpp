#include "setup/host_file.hpp"

#include "setup/command.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>

namespace keyturn {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class HostFileTest : public ::testing::Test {
  protected:
    HostFileTest() {
        std::string name = (fs::temp_directory_path() / "keyturn-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
    }
    ~HostFileTest() override { fs::remove_all(folder_); }

    [[nodiscard]] std::string path(const char* name) const { return folder_ / name; }
    static FileOwner owner(mode_t mode = 0644) { return {mode, ::geteuid(), ::getegid()}; }
    static std::string content(const std::string& path) {
        const auto file = read_host_file(path);
        return file && *file ? std::string((*file)->text.reveal()) : "(none)";
    }

    fs::path folder_;
};

TEST_F(HostFileTest, MakesDirectoriesAndKeepsTheMode) {
    const std::string file = path("unit.service.d/zz-keyturn.conf");
    ASSERT_TRUE(write_host_file(file, "one\n", owner(0640)));
    EXPECT_EQ(content(file), "one\n");
    EXPECT_EQ((*read_host_file(file))->owner, owner(0640));
    ASSERT_TRUE(write_host_file(file, "two\n", owner()));
    EXPECT_EQ(content(file), "two\n");
}

TEST_F(HostFileTest, RemovesTheDirectoryOfDropInsThatIsLeftEmpty) {
    const std::string file = path("unit.service.d/zz-keyturn.conf");
    ASSERT_TRUE(write_host_file(file, "one\n", owner()));
    ASSERT_TRUE(write_host_file(path("unit.service.d/other.conf"), "x", owner()));
    ASSERT_TRUE(remove_host_file(file));
    EXPECT_EQ(content(path("unit.service.d/other.conf")), "x");
    ASSERT_TRUE(remove_host_file(path("unit.service.d/other.conf")));
    EXPECT_FALSE(fs::exists(folder_ / "unit.service.d"));
    EXPECT_TRUE(remove_host_file(file)) << "there is none";
}

TEST_F(HostFileTest, RemovesWhatAnInterruptedWriteHasLeft) {
    const std::string file = path("unit.service.d/zz-keyturn.conf");
    ASSERT_TRUE(write_host_file(file, "one\n", owner()));
    std::ofstream(path("unit.service.d/.zz-keyturn.conf.keyturn")) << "tw";
    ASSERT_TRUE(remove_host_file(file));
    EXPECT_FALSE(fs::exists(folder_ / "unit.service.d"));
}

TEST_F(HostFileTest, ReplacesWhatALinkPointsAt) {
    ASSERT_TRUE(write_host_file(path("real"), "one", owner()));
    fs::create_symlink("real", folder_ / "link");
    ASSERT_TRUE(write_host_file(path("link"), "two", owner()));
    EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
    EXPECT_EQ(content(path("real")), "two");
}

TEST_F(HostFileTest, AFileThatIsTooLongOrNoFileIsAnError) {
    std::ofstream(path("long")) << std::string(host_file_max + 1, 'x');
    EXPECT_THAT(read_host_file(path("long")).error().text, HasSubstr("more than 1 MiB"));
    std::ofstream(path("just")) << std::string(host_file_max, 'x');
    EXPECT_EQ(content(path("just")).size(), host_file_max);
    EXPECT_EQ(read_host_file(folder_).error().fault, Fault::invalid);
    EXPECT_FALSE(*read_host_file(path("none")));
}

TEST(Diff, ShowsWhatChangesAndALittleAround) {
    EXPECT_EQ(diff_of("a\nb\nc\nd\ne\n", "a\nb\nx\nd\ne\n"), "  a\n  b\n- c\n+ x\n  d\n  e\n");
    EXPECT_EQ(diff_of("", "a\nb\n"), "+ a\n+ b\n");
    EXPECT_EQ(diff_of("a\n", ""), "- a\n");
    EXPECT_EQ(diff_of("a\n", "a\n"), "");
}

TEST(RunCommand, PassesInputAndOutput) {
    const auto result =
        run_command({"sh", "-c", "cat; echo no >&2; exit 3"}, Secret::copy_of("in"));
    ASSERT_TRUE(result);
    EXPECT_EQ(result->exit_code, 3);
    EXPECT_EQ(result->output.reveal(), "in");
    EXPECT_EQ(result->errors, "no\n");
}

TEST(RunCommand, LongInputAndOutputDoNotBlock) {
    const std::string text(300'000, 'x');
    const auto result = run_command({"cat"}, Secret::copy_of(text));
    ASSERT_TRUE(result);
    EXPECT_EQ(result->output.size(), text.size());
}

TEST(RunCommand, ProgramThatDoesNotEnd) {
    const auto result = run_command({"sleep", "60"}, Secret(), std::chrono::seconds{0});
    EXPECT_EQ(result.error().fault, Fault::unreachable);
    EXPECT_EQ(run_command({"keyturn-has-no-such-program"}).error().fault, Fault::missing);
    EXPECT_THAT(run_or_fail({"sh", "-c", "echo why >&2; exit 1"}).error().text,
                HasSubstr("(exit code 1): why"));
}

}  // namespace
}  // namespace keyturn
