#include "journal/stderr_line.hpp"

#include "base/unique_fd.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

namespace keyturn {
namespace {

/// Something else in the place of stderr, whose reader reads when the test says so.
class StderrLineTest : public testing::TestWithParam<bool> {
  protected:
    void SetUp() override {
        std::array<int, 2> ends{};
        const bool socket = GetParam();
        const int made =
            socket ? ::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) : ::pipe2(ends.data(), 0);
        ASSERT_EQ(made, 0);
        reader_ = UniqueFd(ends[0]);
        const UniqueFd writer(ends[1]);
        ASSERT_EQ(::fcntl(reader_.get(), F_SETFL, O_NONBLOCK), 0);
        own_stderr_ = UniqueFd(::dup(STDERR_FILENO));
        ASSERT_GE(::dup2(writer.get(), STDERR_FILENO), 0);
    }
    void TearDown() override { ::dup2(own_stderr_.get(), STDERR_FILENO); }

    std::string read_all() const {
        std::string text;
        std::array<char, 65536> buffer{};
        ssize_t size = 0;
        while ((size = ::read(reader_.get(), buffer.data(), buffer.size())) > 0) {
            text.append(buffer.data(), static_cast<std::size_t>(size));
        }
        return text;
    }

    UniqueFd reader_;
    UniqueFd own_stderr_;
};

TEST_P(StderrLineTest, HasThePriorityThatSystemdReads) {
    tell_stderr(1, "held");
    EXPECT_EQ(read_all(), "<1>held\n");
}

TEST_P(StderrLineTest, IsOneLineWhateverTheTextHolds) {
    tell_stderr(6, "first\n<0>forged\r\x1b[31m\x7f\u202E");
    EXPECT_EQ(read_all(), "<6>first <0>forged  [31m  \n");
}

TEST_P(StderrLineTest, IsDroppedAndCountedWhileNobodyReads) {
    constexpr int lines = 2'000;
    const std::string line(1'000, 'x');
    for (int i = 0; i < lines; ++i) tell_stderr(4, line);  // More than pipes and sockets hold.
    const std::string taken = read_all();
    const auto taken_lines = std::count(taken.begin(), taken.end(), '\n');
    EXPECT_LT(taken_lines, lines);
    tell_stderr(5, "again");
    EXPECT_EQ(read_all(), "<4>" + std::to_string(lines - taken_lines) +
                              " lines were dropped, because stderr was not ready\n<5>again\n");
}

INSTANTIATE_TEST_SUITE_P(Of, StderrLineTest, testing::Bool(),
                         [](const auto& of) { return of.param ? "Socket" : "Pipe"; });

}  // namespace
}  // namespace keyturn
