#include "fleet.hpp"

#include "base/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <iterator>
#include <sys/random.h>
#include <unistd.h>

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

std::string own_fleet_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0) return {};
    std::string text(name.data());
    text.resize(std::min(text.find('.'), text.size()));
    for (char& letter : text) {
        letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    }
    return text;
}

}  // namespace keyturn
