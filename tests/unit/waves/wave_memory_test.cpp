#include "waves/wave_memory.hpp"

#include "fakes/matchers.hpp"
#include "fakes/sandbox.hpp"

#include <filesystem>
#include <fstream>

namespace keyturn {
namespace {

class WaveMemoryTest : public testing::Test {
  protected:
    void write(const std::string& text) {
        std::filesystem::create_directory(directory_ / "waves");
        std::filesystem::permissions(directory_ / "waves", std::filesystem::perms::owner_all);
        std::ofstream(directory_ / "waves/web") << text;
        std::filesystem::permissions(
            directory_ / "waves/web",
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    }

    testing_files::Sandbox directory_{testing_files::Medium::memory};
    std::unique_ptr<WaveMemory> memory_ = make_wave_memory(directory_.path());
};

TEST_F(WaveMemoryTest, KnowsNothingAtFirst) {
    const auto memories = memory_->load("web");
    ASSERT_TRUE(memories);
    EXPECT_EQ(*memories, WaveMemories());
    EXPECT_FALSE(std::filesystem::exists(directory_ / "waves")) << "nothing was written";
}

TEST_F(WaveMemoryTest, ReadsWhatItWrote) {
    const WaveMemories memories{"0123456789abcdef", {"a", "b"}, false, false, true};
    ASSERT_TRUE(memory_->save("web", memories));
    EXPECT_EQ(*make_wave_memory(directory_.path())->load("web"), memories);
    EXPECT_EQ(*memory_->load("mail"), WaveMemories()) << "another tunnel";
}

TEST_F(WaveMemoryTest, DoesNotTrustADamagedFile) {
    ASSERT_TRUE(memory_->save("web", WaveMemories()));
    write("{}\n");
    const auto memories = memory_->load("web");
    ASSERT_FALSE(memories);
    EXPECT_EQ(memories.error().fault, Fault::invalid);
    EXPECT_THAT(memories.error().text, HasSubstr("/waves/web: what this host knows of the last "
                                                 "change of the token cannot be trusted"));
}

TEST_F(WaveMemoryTest, DoesNotTakeTheFileOfAnotherTunnel) {
    ASSERT_TRUE(memory_->save("mail", WaveMemories()));
    std::filesystem::copy(directory_ / "waves/mail", directory_ / "waves/web");
    const auto memories = memory_->load("web");
    ASSERT_FALSE(memories);
    EXPECT_THAT(memories.error().text, HasSubstr("it is of another tunnel"));
}

}  // namespace
}  // namespace keyturn
