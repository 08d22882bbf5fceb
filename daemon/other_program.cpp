#include "other_program.hpp"

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <unistd.h>

namespace keyturn {

int become(const std::vector<std::string>& places, const std::string& name,
           char* const* arguments) {
    std::error_code error;
    const auto folder = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
    for (const std::string& place : places) {
        ::execv((folder / place / name).c_str(), arguments);
        if (errno != ENOENT) break;
    }
    return errno;
}

}  // namespace keyturn
