#include "policy/host_value.hpp"

#include "base/ascii.hpp"
#include "policy/suggestion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <netinet/in.h>
#include <string>

namespace keyturn {
namespace {

constexpr std::size_t host_name_size_max = 64;
constexpr std::string_view tag_begin = "keyturn-";
constexpr std::size_t tag_size_max = 40;

}  // namespace

Result<PolicyValue> read_host_name(std::string_view text) {
    const bool sound = !text.empty() && text.size() <= host_name_size_max &&
                       is_alphanumeric(text.front()) && consists_of(text, "-_.");
    if (sound) return PolicyValue{std::string{text}};
    return invalid(
        fmt::format("must be the name of a host (at most {} letters, digits and `-_.`), not {}",
                    host_name_size_max, in_backticks(text)));
}

Result<PolicyValue> read_ip_address(std::string_view text) {
    const std::string address{text};
    std::array<char, INET6_ADDRSTRLEN> shortest{};
    in_addr four{};
    in6_addr six{};
    if (::inet_pton(AF_INET, address.c_str(), &four) == 1) {
        ::inet_ntop(AF_INET, &four, shortest.data(), shortest.size());
        return PolicyValue{std::string{shortest.data()}};
    }
    if (::inet_pton(AF_INET6, address.c_str(), &six) == 1) {
        ::inet_ntop(AF_INET6, &six, shortest.data(), shortest.size());
        return PolicyValue{std::string{shortest.data()}};
    }
    return invalid(
        fmt::format("must be a numeric address such as `203.0.113.7`, not {}", in_backticks(text)));
}

Result<PolicyValue> read_feature_tag(std::string_view text) {
    const bool sound = text.size() > tag_begin.size() && text.size() <= tag_size_max &&
                       text.starts_with(tag_begin) && consists_of(text, "-_");
    if (sound) return PolicyValue{std::string{text}};
    return invalid(fmt::format(
        "must begin with `{}` and continue with letters, digits and `-_`, {} characters at most, "
        "not {}",
        tag_begin, tag_size_max, in_backticks(text)));
}

}  // namespace keyturn
