#include "units/natural_order.hpp"

#include "base/ascii.hpp"

#include <compare>

namespace keyturn {

namespace {

/// Cuts the digits off the front of `text` and returns them without leading zeros. The longer of
/// two such numbers is the greater one, however large they are.
std::string_view take_number(std::string_view& text) {
    std::size_t end = 0;
    while (end < text.size() && is_digit(text[end])) ++end;
    std::string_view number = text.substr(0, end);
    text.remove_prefix(end);
    while (number.size() > 1 && number.front() == '0') number.remove_prefix(1);
    return number;
}

std::strong_ordering compare_numbers(std::string_view left, std::string_view right) {
    if (left.size() != right.size()) return left.size() <=> right.size();
    return left <=> right;
}

std::strong_ordering compare(std::string_view left, std::string_view right) {
    while (!left.empty() && !right.empty()) {
        if (is_digit(left.front()) && is_digit(right.front())) {
            const auto order = compare_numbers(take_number(left), take_number(right));
            if (order != std::strong_ordering::equal) return order;
            continue;
        }
        if (left.front() != right.front()) {
            return static_cast<unsigned char>(left.front()) <=>
                   static_cast<unsigned char>(right.front());
        }
        left.remove_prefix(1);
        right.remove_prefix(1);
    }
    return left.size() <=> right.size();
}

}  // namespace

bool naturally_before(std::string_view left, std::string_view right) {
    const auto order = compare(left, right);
    if (order != std::strong_ordering::equal) return order == std::strong_ordering::less;
    return left < right;
}

}  // namespace keyturn
