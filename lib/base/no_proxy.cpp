#include "base/no_proxy.hpp"

#include "base/ascii.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cstdint>
#include <netinet/in.h>
#include <optional>
#include <string>

namespace keyturn {

namespace {

constexpr std::size_t entry_size_max = 255;
constexpr unsigned bits_of_v4 = 32;
constexpr unsigned bits_of_v6 = 128;

/// An address in network order; IPv4 uses the first four bytes.
struct Address {
    std::array<unsigned char, 16> bytes{};
    unsigned bits = 0;
};

std::optional<Address> address_in(std::string_view text) {
    Address address;
    const std::string ended(text);
    if (ended.find('\0') != std::string::npos) return std::nullopt;
    if (::inet_pton(AF_INET, ended.c_str(), address.bytes.data()) == 1) {
        address.bits = bits_of_v4;
        return address;
    }
    if (::inet_pton(AF_INET6, ended.c_str(), address.bytes.data()) == 1) {
        address.bits = bits_of_v6;
        return address;
    }
    return std::nullopt;
}

bool is_in(const Address& address, const Address& network, unsigned prefix) {
    if (address.bits != network.bits) return false;
    for (unsigned bit = 0; bit < prefix; ++bit) {
        const auto mask = static_cast<unsigned char>(0x80U >> (bit % 8));
        if (((address.bytes.at(bit / 8) ^ network.bytes.at(bit / 8)) & mask) != 0) return false;
    }
    return true;
}

/// The parts of an entry. Exactly one of `everything`, `network` and `name` is set.
struct Entry {
    bool everything = false;
    std::optional<Address> network;
    unsigned prefix = 0;
    std::string name;
    bool only_below = false;
    std::string port;  ///< Empty: every port.
};

bool is_name(std::string_view text) {
    return !text.empty() && is_alphanumeric(text.front()) && is_alphanumeric(text.back()) &&
           text.find("..") == std::string_view::npos && std::ranges::all_of(text, [](char c) {
               return is_alphanumeric(c) || c == '-' || c == '.' || c == '_';
           });
}

/// Takes ":8443" off the end of a name, an IPv4 address or an address in brackets; false if what
/// follows the colon is no port.
bool take_port(std::string_view& text, std::string& port) {
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == std::string_view::npos) return false;
        const std::string_view rest = text.substr(close + 1);
        text = text.substr(1, close - 1);
        if (!rest.empty() && !rest.starts_with(':')) return false;
        port = rest.substr(std::min<std::size_t>(1, rest.size()));
        return rest.empty() || to_number<std::uint16_t>(port).value_or(0) > 0;
    }
    const auto colon = text.find(':');
    if (colon == std::string_view::npos || text.find(':', colon + 1) != std::string_view::npos) {
        return true;
    }
    port = text.substr(colon + 1);
    text = text.substr(0, colon);
    return to_number<std::uint16_t>(port).value_or(0) > 0;
}

std::optional<Entry> parse(std::string_view text) {
    Entry entry;
    if (text.size() > entry_size_max) return std::nullopt;
    entry.everything = text == "*";
    if (entry.everything) return entry;
    if (const auto slash = text.find('/'); slash != std::string_view::npos) {
        entry.network = address_in(text.substr(0, slash));
        const auto prefix = to_number<unsigned>(text.substr(slash + 1));
        if (!entry.network || !prefix || *prefix > entry.network->bits) return std::nullopt;
        entry.prefix = *prefix;
        return entry;
    }
    if (!take_port(text, entry.port)) return std::nullopt;
    entry.network = address_in(text);
    if (entry.network) {
        entry.prefix = entry.network->bits;
        return entry;
    }
    if (text.starts_with("*.")) text.remove_prefix(1);
    entry.only_below = text.starts_with('.');
    if (entry.only_below) text.remove_prefix(1);
    if (!is_name(text)) return std::nullopt;
    entry.name = lower(text);
    return entry;
}

}  // namespace

Result<void> check_no_proxy(std::string_view entry) {
    if (parse(entry)) return {};
    return Error{Fault::invalid,
                 "takes host names, domains such as `.example.com`, addresses, networks such as "
                 "`192.0.2.0/24`, or `*`"};
}

bool is_without_proxy(const HttpOrigin& origin, std::string_view text) {
    const std::optional<Entry> entry = parse(text);
    if (!entry) return false;
    if (entry->everything) return true;
    if (!entry->port.empty() && entry->port != origin.port) return false;
    const std::optional<Address> address = address_in(origin.host);
    if (address || entry->network) {
        return address && entry->network && is_in(*address, *entry->network, entry->prefix);
    }
    const std::string host = lower(origin.host);
    const bool below = host.ends_with("." + entry->name);
    return below || (!entry->only_below && host == entry->name);
}

}  // namespace keyturn
