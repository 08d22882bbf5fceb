#include "shared_object/shared_file.hpp"

#include "fakes/sandbox.hpp"
#include "integration/shared_object/store_test.hpp"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

namespace keyturn {
namespace {

using testing_files::content_of;
using testing_files::put;

class SharedFileTest : public StoreTest {
  protected:
    std::unique_ptr<SharedObject> open(const std::string& name = "object") {
        return make_shared_file(*clock, sandbox / name);
    }

    testing_files::Sandbox sandbox;
};

TEST_F(SharedFileTest, IsThatFileAndNothingElse) {
    EXPECT_TRUE(finished(open()->swap("", "one\n")));
    EXPECT_EQ(content_of(sandbox / "object"), "one\n");
    EXPECT_TRUE(finished(open()->check_conditions("host-a")));
    EXPECT_EQ(testing_files::count_files(sandbox.path()), 2U) << "the object and its lock";
}

TEST_F(SharedFileTest, SeesWhatAPersonDoesToIt) {
    const auto object = open();
    const auto version = finished(object->swap("", "one")).value();
    put(sandbox / "object", "garbage\n");
    EXPECT_EQ(finished(object->read(version)).value().text, "garbage\n");
    EXPECT_EQ(finished(object->swap(version, "two")).error().fault, Fault::conflict);
    ::unlink((sandbox / "object").c_str());
    EXPECT_EQ(finished(object->read(version)).value(), ObjectReading());
    EXPECT_EQ(finished(object->swap(version, "two")).error().fault, Fault::conflict);
}

TEST_F(SharedFileTest, NamesWhatIsWrong) {
    const auto fault = [&](const std::string& path) {
        const auto reading = finished(make_shared_file(*clock, path)->read(""));
        EXPECT_FALSE(reading) << path;
        EXPECT_THAT(reading.error().text, testing::HasSubstr("object"));
        return reading.error().fault;
    };
    EXPECT_EQ(fault(sandbox / "object.d/x"), Fault::missing);
    put(sandbox / "object", "x", 0644);
    EXPECT_EQ(fault(sandbox / "object"), Fault::invalid);
    put(sandbox / "large-object", std::string(object_bytes_max, 'x'));
    EXPECT_EQ(fault(sandbox / "large-object"), Fault::invalid);
    EXPECT_EQ(fault(sandbox / ".object"), Fault::invalid);
}

TEST_F(SharedFileTest, WaitsForAnotherProcessThatWrites) {
    const auto object = open();
    const auto first = finished(object->swap("", "one")).value();
    const int lock = ::open((sandbox / "object.lock").c_str(), O_RDWR | O_CLOEXEC);
    ASSERT_EQ(::flock(lock, LOCK_EX), 0);
    std::optional<Result<ObjectVersion>> swapped;
    auto keep = [&](std::exception_ptr error, Result<ObjectVersion> result) {
        EXPECT_FALSE(error);
        swapped.emplace(std::move(result));
    };
    boost::asio::co_spawn(context, object->swap(first, "two"), std::move(keep));
    context.restart();
    context.run_for(50ms);
    EXPECT_FALSE(swapped);
    EXPECT_TRUE(finished(object->read(""))) << "readers do not wait";
    ::close(lock);
    run_until([&] { return swapped.has_value(); });
    EXPECT_TRUE(*swapped);
}

TEST_F(SharedFileTest, WakesWhoWaitsForAChange) {
    const auto object = open();
    const auto first = finished(object->swap("", "one")).value();
    const BootTime begin = clock->boot_now();
    bool woken = false;
    auto done = [&](std::exception_ptr error) {
        EXPECT_FALSE(error);
        woken = true;
    };
    boost::asio::co_spawn(context, object->wait_for_change(first, begin + 60s), std::move(done));
    context.restart();
    context.run_for(10ms);
    EXPECT_FALSE(woken);
    EXPECT_TRUE(finished(open()->swap(first, "two")));
    run_until([&] { return woken; });
    EXPECT_LT(clock->boot_now() - begin, 30s);
}

/// Adds `lines` lines, in this process.
void add_lines(const std::string& path, int lines) {
    boost::asio::io_context context{1};
    const auto clock = make_clock(context.get_executor());
    const auto object = make_shared_file(*clock, path);
    // The coroutine gets all that it needs as parameters.
    const auto work = [](SharedObject& shared, int left) -> Task<> {
        while (left > 0) {
            const auto now = co_await shared.read(ObjectVersion());
            if (!now) ::_exit(2);
            const auto swapped = co_await shared.swap(now->version, now->text + "x");
            if (swapped) --left;
        }
    };
    boost::asio::co_spawn(context, work(*object, lines), [](std::exception_ptr error) {
        if (error) ::_exit(3);
    });
    context.run();
}

TEST_F(SharedFileTest, LosesNothingOfFourProcesses) {
    constexpr int lines = 40;
    std::array<pid_t, 4> writers{};
    for (pid_t& writer : writers) {
        writer = ::fork();
        if (writer == 0) {
            add_lines(sandbox / "object", lines);
            ::_exit(0);
        }
    }
    for (const pid_t writer : writers) {
        int status = -1;
        ASSERT_EQ(::waitpid(writer, &status, 0), writer);
        EXPECT_EQ(status, 0);
    }
    EXPECT_EQ(content_of(sandbox / "object"), std::string(lines * writers.size(), 'x'));
}

}  // namespace
}  // namespace keyturn
