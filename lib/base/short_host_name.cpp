#include "base/short_host_name.hpp"

#include "base/ascii.hpp"

#include <algorithm>
#include <array>
#include <unistd.h>

namespace keyturn {

std::string short_host_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0) return {};
    std::string text(name.data());
    text.resize(std::min(text.find('.'), text.size()));
    return lower(text);
}

}  // namespace keyturn
