#include "policy/metrics_address.hpp"

#include "base/ascii.hpp"
#include "policy/suggestion.hpp"
#include "policy/unit_pattern.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <cstdint>
#include <netinet/in.h>
#include <optional>

namespace keyturn {
namespace {

constexpr std::string_view example = "127.0.0.1:20241";
constexpr std::size_t port_digits_max = 5;

std::optional<std::uint16_t> read_port(std::string_view text) {
    std::uint16_t port = 0;
    const bool plain = !text.empty() && text.size() <= port_digits_max && text.front() != '0' &&
                       std::ranges::all_of(text, is_digit);
    if (!plain) return std::nullopt;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    return error == std::errc{} ? std::optional(port) : std::nullopt;
}

/// A numeric address in its shortest form; nothing if it is none.
struct Numeric {
    std::string text;
    std::string problem;  ///< Why a server cannot be asked there; empty if it can.
};

std::optional<Numeric> read_ipv4(const std::string& host) {
    constexpr std::uint32_t multicast = 224U << 24U;
    in_addr address{};
    if (::inet_pton(AF_INET, host.c_str(), &address) != 1) return std::nullopt;
    std::array<char, INET_ADDRSTRLEN> text{};
    ::inet_ntop(AF_INET, &address, text.data(), text.size());
    Numeric numeric{text.data(), {}};
    const std::uint32_t number = ntohl(address.s_addr);
    if (number == INADDR_ANY)
        numeric.problem = "means all addresses of this host; write 127.0.0.1";
    else if (number >= multicast)
        numeric.problem = "is not the address of a host";
    return numeric;
}

std::optional<Numeric> read_ipv6(const std::string& host) {
    in6_addr address{};
    if (::inet_pton(AF_INET6, host.c_str(), &address) != 1) return std::nullopt;
    std::array<char, INET6_ADDRSTRLEN> text{};
    ::inet_ntop(AF_INET6, &address, text.data(), text.size());
    Numeric numeric{fmt::format("[{}]", text.data()), {}};
    if (IN6_IS_ADDR_UNSPECIFIED(&address))
        numeric.problem = "means all addresses of this host; write [::1]";
    else if (IN6_IS_ADDR_MULTICAST(&address))
        numeric.problem = "is not the address of a host";
    else if (IN6_IS_ADDR_LINKLOCAL(&address))
        numeric.problem = "is an address of one link only; publish the port on [::1]";
    else if (IN6_IS_ADDR_V4MAPPED(&address))
        numeric.problem = "is an IPv4 address; write it as one";
    return numeric;
}

/// The error for a text whose port is right but whose address is not.
Error wrong_host(std::string_view host, std::uint16_t port) {
    if (host.empty())
        return invalid(fmt::format("needs an address before the port; write `127.0.0.1:{}`", port));
    if (host == "localhost")
        return invalid(
            fmt::format("must be a numeric address, not a name; write `127.0.0.1:{}`", port));
    if (read_ipv6(std::string{host}))
        return invalid(fmt::format("needs an IPv6 address in brackets; write `\"[{}]:{}\"`",
                                   quote_safe(host), port));
    return invalid(
        fmt::format("must be a numeric address of this host, not {}; write, for "
                    "example, `127.0.0.1:{}`",
                    in_backticks(host), port));
}

bool is_address(std::string_view text) {
    const std::string host{text};
    return read_ipv4(host) || read_ipv6(host);
}

}  // namespace

Result<void> check_addressed_unit(std::string_view name) {
    if (is_glob(name)) {
        return invalid(
            fmt::format("has the glob {}; each unit needs an address of its own, so write its name",
                        in_backticks(name)));
    }
    return check_unit_pattern(name);
}

Error no_metrics_address() {
    return invalid(fmt::format("needs an address for each unit, such as `{}`", example));
}

Result<std::string> read_metrics_address(std::string_view text) {
    if (text.find("://") != std::string_view::npos) {
        return invalid(
            fmt::format("must be an address and a port such as `{}`, not a URL", example));
    }
    const std::size_t colon = text.rfind(':');
    const bool bare = colon == std::string_view::npos;
    if (is_address(text) || (bare && !read_port(text))) {
        return invalid(fmt::format("{}must be an address and a port such as `{}`, not {}",
                                   is_address(text) ? "has no port: it " : "", example,
                                   in_backticks(text)));
    }
    const auto port = read_port(bare ? text : text.substr(colon + 1));
    if (!port) {
        return invalid(fmt::format("needs a port between 1 and 65535 after the last `:`, not {}",
                                   in_backticks(text)));
    }
    const std::string_view host = bare ? std::string_view{} : text.substr(0, colon);
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    const auto numeric = bracketed ? read_ipv6(std::string{host.substr(1, host.size() - 2)})
                                   : read_ipv4(std::string{host});
    if (!numeric) return wrong_host(host, *port);
    if (!numeric->problem.empty()) {
        return invalid(fmt::format("has {}, which {}", in_backticks(text), numeric->problem));
    }
    return fmt::format("{}:{}", numeric->text, *port);
}

}  // namespace keyturn
