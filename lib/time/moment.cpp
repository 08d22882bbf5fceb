#include "time/moment.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>

namespace keyturn {

std::string to_text(WallTime moment) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(moment);
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                       fmt::gmtime(static_cast<std::time_t>(seconds.time_since_epoch().count())));
}

std::string to_text(Milliseconds duration) {
    struct Unit {
        std::chrono::seconds length;
        char letter;
    };
    static constexpr std::array<Unit, 4> units{{{std::chrono::days{1}, 'd'},
                                                {std::chrono::hours{1}, 'h'},
                                                {std::chrono::minutes{1}, 'm'},
                                                {std::chrono::seconds{1}, 's'}}};
    if (duration < Milliseconds{0}) return "-" + to_text(-duration);
    if (duration < std::chrono::seconds{1}) return fmt::format("{}ms", duration.count());
    if (duration < std::chrono::seconds{10} &&
        duration % std::chrono::seconds{1} != Milliseconds{0}) {
        return fmt::format("{:.1f}s", static_cast<double>(duration.count()) / 1000.0);
    }
    auto rest = std::chrono::duration_cast<std::chrono::seconds>(duration);
    std::string text;
    int parts = 0;
    for (const Unit& unit : units) {
        const auto count = rest / unit.length;
        if (count == 0 && parts == 0) continue;
        if (parts == 2) break;
        if (count > 0) text += fmt::format("{}{}{}", parts > 0 ? " " : "", count, unit.letter);
        rest -= count * unit.length;
        ++parts;
    }
    return text;
}

}  // namespace keyturn
