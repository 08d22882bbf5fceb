#include "policy/draft.hpp"

#include "policy/key_paths.hpp"

#include <fmt/format.h>

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

void TunnelDraft::forget(std::string_view path) {
    const auto is_in = [&](std::string_view each) {
        return each == path || (each.starts_with(path) && each[path.size()] == '.');
    };
    std::erase_if(given, [&](const auto& entry) { return is_in(entry.first); });
    std::erase_if(broken, is_in);
}

bool refuse_shorter(const TunnelDraft& tunnel, DurationOfKey first, DurationOfKey second,
                    std::string_view consequence, ProblemList& problems) {
    const auto paths = {first.path, second.path};
    if (first.value >= second.value || !tunnel.comparable(paths)) return false;
    problems.add(tunnel.blame(paths),
                 fmt::format("`{}` ({}) is shorter than `{}` ({}){}", last_name(first.path),
                             to_text(first.value), last_name(second.path), to_text(second.value),
                             consequence));
    return true;
}

}  // namespace keyturn
