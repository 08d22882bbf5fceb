#include "agent/splay.hpp"

#include "token/digest.hpp"

#include <charconv>
#include <cstdint>
#include <string>

namespace keyturn {

double splay_share(std::string_view host_id, std::string_view tunnel) {
    constexpr std::size_t digits = 12;  // 48 bits, which a double represents exactly.
    const std::string digest = sha256_hex({host_id, "/", tunnel});
    std::uint64_t place = 0;
    std::from_chars(digest.data(), digest.data() + digits, place, 16);
    return static_cast<double>(place) / static_cast<double>(std::uint64_t{1} << (4 * digits));
}

}  // namespace keyturn
