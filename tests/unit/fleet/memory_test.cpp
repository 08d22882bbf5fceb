#include "fleet/memory.hpp"

#include "fakes/matchers.hpp"
#include "fakes/sample_fleet.hpp"
#include "fakes/sandbox.hpp"

#include <gtest/gtest.h>

namespace keyturn {
namespace {

using testing_files::content_of;
using testing_files::put;
using testing_files::Sandbox;

FleetMemories sample_memories() {
    return {"host-1", std::string(32, '1'), fleet_id,
            184,      std::string(16, 'a'), std::string(16, 'b')};
}

class FleetMemoryTest : public testing::Test {
  protected:
    void save(const FleetMemories& memories = sample_memories()) {
        const Result<void> saved = memory_->save("web", memories);
        ASSERT_TRUE(saved) << saved.error().text;
    }

    [[nodiscard]] Fault fault_of_load() {
        const auto loaded = memory_->load("web");
        EXPECT_FALSE(loaded);
        return loaded ? Fault::cancelled : loaded.error().fault;
    }

    [[nodiscard]] std::string file() const { return directory_ / "fleet/web"; }

    Sandbox directory_{testing_files::Medium::memory};
    std::unique_ptr<FleetMemory> memory_ = make_fleet_memory(directory_.path());
};

TEST_F(FleetMemoryTest, IsNothingOnAHostThatHasNotJoined) {
    const auto loaded = memory_->load("web");
    ASSERT_TRUE(loaded);
    EXPECT_FALSE(*loaded);
    EXPECT_FALSE(std::filesystem::exists(directory_ / "fleet"))
        << "a host without a fleet has no trace of one";
}

TEST_F(FleetMemoryTest, KeepsWhatWasSavedAcrossARestart) {
    save();
    FleetMemories newer = sample_memories();
    newer.rev = 185;
    newer.mark_pending.clear();
    save(newer);
    memory_ = make_fleet_memory(directory_.path());
    EXPECT_EQ(memory_->load("web")->value(), newer);
    EXPECT_FALSE(*memory_->load("other")) << "each tunnel has its own";
    EXPECT_EQ(testing_files::mode_of(file()) & 0777U, 0600U);
}

TEST_F(FleetMemoryTest, IsNotTrustedIfAnythingInItIsDamaged) {
    save();
    const std::string good = content_of(file());
    for (std::size_t i = 0; i < good.size(); ++i) {
        put(file(), good.substr(0, i));
        EXPECT_EQ(fault_of_load(), Fault::invalid) << "cut off at " << i;
        std::string flipped = good;
        flipped[i] = static_cast<char>(flipped[i] ^ 1);
        put(file(), flipped);
        EXPECT_EQ(fault_of_load(), Fault::invalid) << "flipped at " << i;
    }
    EXPECT_THAT(memory_->load("web").error().text, HasSubstr("until it joins its fleet again"));
    put(file(), good);
    EXPECT_EQ(memory_->load("web")->value(), sample_memories());
}

TEST_F(FleetMemoryTest, OfAnotherTunnelIsNotTrusted) {
    save();
    ASSERT_TRUE(memory_->save("other", sample_memories()));
    put(file(), content_of(directory_ / "fleet/other"));
    EXPECT_EQ(fault_of_load(), Fault::invalid);
}

TEST_F(FleetMemoryTest, SavesNothingThatItCouldNotRead) {
    save();
    FleetMemories wrong = sample_memories();
    wrong.host = "no host";
    EXPECT_EQ(memory_->save("web", wrong).error().fault, Fault::invalid);
    wrong = sample_memories();
    wrong.install = "short";
    EXPECT_FALSE(memory_->save("web", wrong));
    wrong = sample_memories();
    wrong.mark = "0011";
    EXPECT_FALSE(memory_->save("web", wrong));
    EXPECT_FALSE(memory_->save("../web", sample_memories()));
    EXPECT_EQ(memory_->load("web")->value(), sample_memories());
}

}  // namespace
}  // namespace keyturn
