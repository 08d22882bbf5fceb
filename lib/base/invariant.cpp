#include "base/invariant.hpp"

#include <cstdio>
#include <cstdlib>

namespace keyturn {

void invariant_failed(std::string_view sentence, const char* file, std::uint_least32_t line) {
    std::fprintf(stderr, "<0>keyturn: invariant broken at %s:%u: %.*s\n", file,
                 static_cast<unsigned>(line), static_cast<int>(sentence.size()), sentence.data());
    std::abort();
}

}  // namespace keyturn
