#include "integration/shared_object/test_stores.hpp"

#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <set>
#include <vector>

namespace keyturn {
namespace {

/// What shared_object.hpp promises, of each kind of store.
class Contract : public StoreTest, public testing::WithParamInterface<StoreKind> {
  protected:
    OpenObject open(const std::string& name = "object") {
        OpenObject object = store->open(context, *clock, name);
        const auto checked = finished(object->check_conditions("test"));
        EXPECT_TRUE(checked) << checked.error().text;
        return object;
    }

    ObjectVersion must_swap(const OpenObject& object, const ObjectVersion& from,
                            const std::string& text) {
        const auto swapped = finished(object->swap(from, text));
        EXPECT_TRUE(swapped) << swapped.error().text;
        return swapped ? *swapped : ObjectVersion();
    }

    std::unique_ptr<TestStore> store = make_test_store(GetParam());
};

INSTANTIATE_TEST_SUITE_P(Of, Contract,
                         testing::Values(StoreKind::file, StoreKind::bucket, StoreKind::etcd),
                         testing::PrintToStringParamName());

TEST_P(Contract, AnObjectIsAbsentThenPresentThenUnchanged) {
    const auto object = open();
    const auto absent = finished(object->read(""));
    ASSERT_TRUE(absent) << absent.error().text;
    EXPECT_EQ(*absent, ObjectReading());
    const auto first = must_swap(object, "", "one");
    EXPECT_EQ(finished(object->read("")).value(), (ObjectReading{Found::present, "one", first}));
    EXPECT_EQ(finished(object->read(first)).value(), (ObjectReading{Found::unchanged, "", first}));
    const auto second = must_swap(object, first, "two");
    EXPECT_NE(second, first);
    EXPECT_EQ(finished(object->read(first)).value(),
              (ObjectReading{Found::present, "two", second}));
}

TEST_P(Contract, AnAbsentObjectIsAbsentWhateverVersionIsKnown) {
    const auto version = must_swap(open("other"), "", "one");
    EXPECT_EQ(finished(open()->read(version)).value(), ObjectReading());
}

TEST_P(Contract, OnlyOneCreates) {
    const auto ours = open();
    const auto theirs = open();
    must_swap(ours, "", "ours");
    const auto second = finished(theirs->swap("", "theirs"));
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().fault, Fault::conflict) << second.error().text;
    EXPECT_EQ(finished(theirs->read("")).value().text, "ours");
}

TEST_P(Contract, OnlyThePresentVersionIsReplaced) {
    const auto ours = open();
    const auto theirs = open();
    const auto first = must_swap(ours, "", "one");
    const auto second = must_swap(theirs, first, "two");
    const auto late = finished(ours->swap(first, "late"));
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().fault, Fault::conflict) << late.error().text;
    EXPECT_EQ(finished(ours->read(first)).value(), (ObjectReading{Found::present, "two", second}));
}

TEST_P(Contract, AnObjectThatIsGoneIsNotReplaced) {
    const auto version = must_swap(open("other"), "", "one");
    const auto swapped = finished(open()->swap(version, "two"));
    ASSERT_FALSE(swapped);
    EXPECT_EQ(swapped.error().fault, Fault::conflict) << swapped.error().text;
}

TEST_P(Contract, TextsComeBackAsTheyWere) {
    const auto object = open();
    ObjectVersion version;
    for (const std::string& text :
         {std::string("keyturn-fleet 1 a b\n{\"host\":\"\xc3\xa9 \\u0001\"}\n"),
          std::string("\0\x01\xff\r\n", 5), std::string(24 * 1024, 'x'),
          std::string(object_bytes_max - 1, 'y')}) {
        version = must_swap(object, version, text);
        EXPECT_EQ(finished(object->read("")).value().text, text);
    }
}

TEST_P(Contract, AnObjectThatIsTooLargeIsNotWritten) {
    const auto object = open();
    const auto swapped = finished(object->swap("", std::string(object_bytes_max, 'x')));
    ASSERT_FALSE(swapped);
    EXPECT_EQ(swapped.error().fault, Fault::invalid);
    EXPECT_EQ(finished(object->read("")).value(), ObjectReading());
}

TEST_P(Contract, TheCheckOfConditionsLeavesTheObjectAlone) {
    const auto object = open();
    const auto version = must_swap(object, "", "one");
    for (const auto* scratch : {"host-a", "host-b", "host-a"}) {
        const auto checked = finished(object->check_conditions(scratch));
        EXPECT_TRUE(checked) << checked.error().text;
    }
    EXPECT_EQ(finished(object->read(version)).value().found, Found::unchanged);
    EXPECT_EQ(finished(object->check_conditions("a/b")).error().fault, Fault::invalid);
}

TEST_P(Contract, WaitingEndsInTime) {
    const auto object = open();
    const auto version = must_swap(object, "", "one");
    const BootTime begin = clock->boot_now();
    finish(object->wait_for_change(version, begin + 300ms));
    EXPECT_LT(clock->boot_now() - begin, 10s);
    finish(object->wait_for_change(version, begin));
}

/// Writers who add a line each time, for ever: as many as there are wins have to be in the end.
class Race {
  public:
    struct Writer {
        OpenObject object;
        int number = 0;
        std::vector<std::string> won;
        std::vector<std::string> unsure;
        int conflicts = 0;
    };

    static Task<> write(Writer& writer, Clock& clock, int lines) {
        for (int i = 0; i < lines;) {
            const auto now = co_await writer.object->read(ObjectVersion());
            if (!now) continue;
            // Others read the same meanwhile.
            co_await clock.sleep_until(clock.boot_now() + 1ms);
            const std::string line = std::to_string(writer.number) + "-" + std::to_string(i) + "\n";
            const auto swapped = co_await writer.object->swap(now->version, now->text + line);
            if (swapped) {
                writer.won.push_back(line);
                ++i;
                continue;
            }
            EXPECT_THAT(swapped.error().fault,
                        testing::AnyOf(Fault::conflict, Fault::ambiguous, Fault::busy))
                << swapped.error().text;
            if (swapped.error().fault == Fault::ambiguous) {
                writer.unsure.push_back(line);
                ++i;
            }
            ++writer.conflicts;
            // Each at another time, as the hosts of a fleet do.
            co_await clock.sleep_until(clock.boot_now() + 3ms + 7ms * writer.number);
        }
    }
};

TEST_P(Contract, OfEightWritersEachWinIsThereOnce) {
    constexpr int writers_count = 8;
    constexpr int lines = 6;
    std::vector<Race::Writer> writers(writers_count);
    int left = writers_count;
    must_swap(open("race"), "", "");
    for (auto& writer : writers) {
        writer.object = open("race");
        writer.number = static_cast<int>(&writer - writers.data());
    }
    for (auto& writer : writers) {
        auto done = [&left](std::exception_ptr error) {
            EXPECT_FALSE(error);
            --left;
        };
        boost::asio::co_spawn(context, Race::write(writer, *clock, lines), std::move(done));
    }
    run_until([&] { return left == 0; });
    std::string text = finished(writers[0].object->read("")).value().text;
    std::multiset<std::string> there;
    for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n')) {
        there.insert(text.substr(0, end + 1));
        text.erase(0, end + 1);
    }
    int conflicts = 0;
    for (const auto& writer : writers) {
        for (const auto& line : writer.won) {
            EXPECT_EQ(there.count(line), 1U) << line;
            there.erase(line);
        }
        for (const auto& line : writer.unsure) {
            EXPECT_LE(there.count(line), 1U) << line;
            there.erase(line);
        }
        conflicts += writer.conflicts;
    }
    EXPECT_TRUE(there.empty()) << *there.begin() << " was written, and its writer was told no";
    EXPECT_GT(conflicts, 0) << "nobody was ever in anybody's way";
}

}  // namespace
}  // namespace keyturn
