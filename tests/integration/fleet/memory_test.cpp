#include "fleet/memory.hpp"

#include "fakes/file_faults.hpp"
#include "fakes/sandbox.hpp"
#include "integration/fleet/sample_memories.hpp"
#include "state/ballast.hpp"
#include "state/envelope.hpp"

#include <gmock/gmock.h>

namespace keyturn {
namespace {

using namespace testing_files;
using testing::HasSubstr;

class FleetMemoryTest : public testing::Test {
  protected:
    [[nodiscard]] std::string file() const { return sandbox_ / "fleet/web"; }

    void save(const FleetMemories& memories = sample_memories(1)) {
        const Result<void> saved = memory_->save("web", memories);
        ASSERT_TRUE(saved) << saved.error().text;
    }

    std::string why() {
        const auto loaded = memory_->load("web");
        if (loaded) return "(accepted)";
        EXPECT_EQ(loaded.error().fault, Fault::invalid) << loaded.error().text;
        return loaded.error().text;
    }

    Sandbox sandbox_;
    std::unique_ptr<FleetMemory> memory_ = make_fleet_memory(sandbox_.path());
};

TEST_F(FleetMemoryTest, KnowsNothingAndMakesNothingBeforeAHostHasJoined) {
    const auto loaded = memory_->load("web");
    ASSERT_TRUE(loaded) << loaded.error().text;
    EXPECT_FALSE(*loaded);
    EXPECT_EQ(count_files(sandbox_.path()), 0U);
}

TEST_F(FleetMemoryTest, GivesBackWhatWasSaved) {
    save();
    save(sample_memories(2));
    FleetMemories joined = sample_memories(0);
    joined.mark.clear();
    joined.mark_pending.clear();
    ASSERT_TRUE(memory_->save("mail", joined));
    const auto another = make_fleet_memory(sandbox_.path());
    EXPECT_EQ(**another->load("web"), sample_memories(2));
    EXPECT_EQ(**another->load("mail"), joined);
    EXPECT_EQ(mode_of(file()), 0600U);
    EXPECT_EQ(mode_of(sandbox_ / "fleet"), 0700U);
}

TEST_F(FleetMemoryTest, SaysWhenTheDirectoryOfTheStateIsGone) {
    const auto elsewhere = make_fleet_memory(sandbox_ / "none");
    EXPECT_EQ(elsewhere->load("web").error().fault, Fault::missing);
    EXPECT_EQ(elsewhere->save("web", sample_memories(1)).error().fault, Fault::missing);
}

TEST_F(FleetMemoryTest, DoesNotTrustADamagedFile) {
    save();
    const std::string text = content_of(file());
    for (std::size_t size = 0; size < text.size(); ++size) {
        put(file(), text.substr(0, size));
        EXPECT_THAT(why(), HasSubstr("cannot be trusted")) << size;
    }
    for (std::size_t bit = 0; bit < text.size() * 8; bit += 3) {
        std::string flipped = text;
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
        put(file(), flipped);
        EXPECT_THAT(why(), HasSubstr("cannot be trusted")) << "bit " << bit;
    }
}

TEST_F(FleetMemoryTest, DoesNotTrustAFileWithoutSense) {
    save();
    const auto reason = [this](int schema, std::string_view json) {
        put(file(), in_envelope(schema, json));
        return why();
    };
    const std::string text = content_of(file());
    const std::string whole(open_envelope(text).json);
    EXPECT_EQ(reason(1, whole), "(accepted)");
    EXPECT_THAT(reason(2, "{}"), HasSubstr("a newer version of keyturn wrote it"));
    EXPECT_THAT(reason(1, "{}"), HasSubstr("unexpected content at \"tunnel\""));
    const auto with = [&whole](const std::string& from, const std::string& to) {
        std::string changed = whole;
        return changed.replace(changed.find(from), from.size(), to);
    };
    EXPECT_THAT(reason(1, with("\"web\"", "\"mail\"")), HasSubstr("it is of another tunnel"));
    EXPECT_THAT(reason(1, with("host-a.example", "two words")), HasSubstr("has a wrong form"));
    EXPECT_THAT(reason(1, with("0011223344556677", "0011")), HasSubstr("has a wrong form"));
    EXPECT_THAT(reason(1, with("\"rev\":1", "\"rev\":-1")), HasSubstr("\"rev\""));
}

TEST_F(FleetMemoryTest, SavesNothingThatItWouldNotTrust) {
    save();
    FleetMemories wrong = sample_memories(2);
    wrong.host = "two words";
    EXPECT_EQ(memory_->save("web", wrong).error().fault, Fault::invalid);
    EXPECT_EQ(**memory_->load("web"), sample_memories(1));
}

TEST_F(FleetMemoryTest, RefusesAFileThatOthersCanChange) {
    save();
    ASSERT_EQ(::chmod(file().c_str(), 0644), 0);
    EXPECT_FALSE(memory_->load("web"));
    std::filesystem::remove(file());
    std::filesystem::create_symlink("/dev/null", file());
    EXPECT_FALSE(memory_->load("web"));
}

TEST_F(FleetMemoryTest, TakesOnlyNamesOfTunnels) {
    for (const char* name : {"", "../web", "a/b", ".hidden"}) {
        EXPECT_EQ(memory_->load(name).error().fault, Fault::invalid) << name;
        EXPECT_EQ(memory_->save(name, sample_memories(1)).error().fault, Fault::invalid) << name;
    }
}

TEST_F(FleetMemoryTest, DropsTheBallastOnAFullDisk) {
    save();
    make_ballast(*Directory::open(sandbox_.path()));
    FaultPlan full;
    full.full_while = sandbox_ / "ballast";
    arm(full);
    const Result<void> saved = memory_->save("web", sample_memories(2));
    disarm();
    EXPECT_TRUE(saved) << saved.error().text;
    EXPECT_EQ(**memory_->load("web"), sample_memories(2));
    full.full_while = sandbox_.path();
    arm(full);
    const Result<void> not_saved = memory_->save("web", sample_memories(3));
    disarm();
    ASSERT_FALSE(not_saved);
    EXPECT_EQ(not_saved.error().fault, Fault::storage);
    EXPECT_EQ(**memory_->load("web"), sample_memories(2));
}

TEST_F(FleetMemoryTest, RemovesWhatACrashHasLeft) {
    save();
    put(sandbox_ / "fleet/.web.keyturn-0123abcd.tmp", "half");
    memory_ = make_fleet_memory(sandbox_.path());
    EXPECT_EQ(count_files(sandbox_ / "fleet"), 1U);
    EXPECT_EQ(**memory_->load("web"), sample_memories(1));
}

}  // namespace
}  // namespace keyturn
