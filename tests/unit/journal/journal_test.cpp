#include "journal/event_log.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <sys/uio.h>
#include <vector>

// The linker puts these two in the place of the real ones in this program (--wrap), so that the
// test is the same with and without a journald on the machine.
namespace {
bool socket_is_there = false;
int send_answer = 0;
std::vector<std::string> sent;
}  // namespace

extern "C" {
int __real_access(const char* path, int mode);

int __wrap_access(const char* path, int mode) {
    if (std::string_view(path) != "/run/systemd/journal/socket") return __real_access(path, mode);
    return socket_is_there ? 0 : -1;
}

int __wrap_sd_journal_sendv(const iovec* parts, int count) {
    for (int i = 0; i < count; ++i) {
        sent.emplace_back(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
    }
    return send_answer;
}
}

namespace keyturn {
namespace {

class JournalTest : public testing::Test {
  protected:
    void SetUp() override {
        sent.clear();
        event_.kind = EventKind::rotation_done;
        event_.message = "web: done";
        event_.tunnel_name = "web";
    }

    /// Records the event, and returns what came to stderr.
    std::string record() {
        testing::internal::CaptureStderr();
        make_journal()->record(event_);
        return testing::internal::GetCapturedStderr();
    }

    Event event_;
};

TEST_F(JournalTest, SendsOneStructuredEntry) {
    socket_is_there = true;
    send_answer = 0;
    EXPECT_EQ(record(), "");
    ASSERT_EQ(sent.size(), 5U);
    EXPECT_EQ(sent.front(), "MESSAGE=web: done");
    EXPECT_EQ(sent.back(), "TUNNEL_NAME=web");
}

TEST_F(JournalTest, WritesALineWhereThereIsNoJournal) {
    socket_is_there = false;
    EXPECT_EQ(record(), "<6>web: done\n");
    EXPECT_TRUE(sent.empty());
}

TEST_F(JournalTest, WritesALineWhenTheJournalDoesNotTakeIt) {
    socket_is_there = true;
    send_answer = -ECONNREFUSED;
    EXPECT_EQ(record(), "<6>web: done\n");
}

}  // namespace
}  // namespace keyturn
