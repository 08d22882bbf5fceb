#include "fleet.hpp"

#include "base/error.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <iterator>
#include <sys/random.h>

namespace keyturn {

namespace {

constexpr std::size_t key_bytes = 32;

}  // namespace

Result<std::string> new_fleet_key() {
    std::array<unsigned char, key_bytes> bytes{};
    const auto got = ::getrandom(bytes.data(), bytes.size(), 0);
    if (got != static_cast<ssize_t>(bytes.size())) return errno_error(errno, "cannot make a key");
    std::string line = "key-1 ";
    for (const unsigned char byte : bytes) fmt::format_to(std::back_inserter(line), "{:02x}", byte);
    return line;
}

}  // namespace keyturn
