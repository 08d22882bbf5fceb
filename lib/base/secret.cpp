#include "base/secret.hpp"

#include "base/invariant.hpp"

namespace keyturn {

Secret Secret::copy_of(std::string_view bytes) {
    Secret copy;
    copy.append(bytes);
    return copy;
}

void Secret::truncate(std::size_t size) {
    invariant(size <= bytes_.size(), "a secret can only be shortened");
    wipe(bytes_.data() + size, bytes_.size() - size);
    bytes_.resize(size);
}

bool same_secret(const Secret& left, const Secret& right) {
    if (left.size() != right.size()) return false;
    const std::string_view a = left.reveal();
    const std::string_view b = right.reveal();
    unsigned char difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        difference = static_cast<unsigned char>(difference | (a[i] ^ b[i]));
    }
    // The barrier keeps the compiler from leaving the loop early.
    asm volatile("" : "+r"(difference));
    return difference == 0;
}

}  // namespace keyturn
