#include "policy/draft.hpp"

#include <algorithm>

namespace keyturn {

Place TunnelDraft::blame(std::initializer_list<std::string_view> paths) const {
    Place latest;
    for (const std::string_view path : paths) {
        const auto found = given.find(path);
        if (found != given.end()) latest = std::max(latest, found->second);
    }
    return latest == Place{} ? place : latest;
}

bool TunnelDraft::comparable(std::initializer_list<std::string_view> paths) const {
    return std::ranges::none_of(paths,
                                [&](std::string_view path) { return broken.contains(path); });
}

}  // namespace keyturn
