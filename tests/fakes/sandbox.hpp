#pragma once

#include "base/secret.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <sstream>
#include <string>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace keyturn::testing_files {

/// Where a test has its files. In memory thousands of replaced files take no time, and a crash of a
/// process means the same there; a disk is what the product runs on.
enum class Medium { disk, memory };

inline std::string directory_on(Medium medium) {
    const bool memory = medium == Medium::memory && ::access("/dev/shm", W_OK) == 0;
    return memory ? "/dev/shm/" : testing::TempDir();
}

/// A state directory of our own, 0700, gone at the end.
class Sandbox {
  public:
    explicit Sandbox(Medium medium = Medium::disk)
        : path_(directory_on(medium) + "keyturn-files-XXXXXX") {
        EXPECT_NE(::mkdtemp(path_.data()), nullptr) << path_;
    }
    Sandbox(const Sandbox&) = delete;
    Sandbox& operator=(const Sandbox&) = delete;
    ~Sandbox() { std::filesystem::remove_all(path_); }

    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] std::string operator/(const std::string& below) const {
        return path_ + "/" + below;
    }

  private:
    std::string path_;
};

inline std::string content_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return "(no file)";
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

inline void put(const std::string& path, const std::string& content, mode_t mode = 0600) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
    ASSERT_EQ(::chmod(path.c_str(), mode), 0) << path;
}

inline mode_t mode_of(const std::string& path) {
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0 ? status.st_mode & 07777U : 0;
}

inline std::size_t count_files(const std::string& directory) {
    const std::filesystem::directory_iterator begin(directory);
    return static_cast<std::size_t>(std::distance(begin, std::filesystem::directory_iterator()));
}

inline std::string text_of(const Secret& secret) {
    return std::string(secret.reveal());
}

/// Runs `body` in a process of its own and returns how that ended, as from waitpid.
inline int in_child(const std::function<void()>& body) {
    const pid_t child = ::fork();
    if (child == 0) {
        body();
        ::_exit(0);
    }
    int status = -1;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return status;
}

}  // namespace keyturn::testing_files
