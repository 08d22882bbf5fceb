#include "wire/bus_type.hpp"

#include "wire/text.hpp"

#include <algorithm>

namespace keyturn {
namespace {

std::uint64_t microseconds_of(Milliseconds duration) {
    return static_cast<std::uint64_t>(std::max(duration, Milliseconds{0}).count()) * 1000U;
}

}  // namespace

std::uint64_t to_bus(const std::optional<WallTime>& moment) {
    return microseconds_of(moment.value_or(WallTime{}).time_since_epoch());
}

std::uint64_t to_bus(const std::optional<Milliseconds>& duration) {
    return duration ? microseconds_of(std::max(*duration, Milliseconds{1})) : 0;
}

void from_bus(std::uint64_t raw, std::optional<Milliseconds>& duration) {
    duration.reset();
    if (raw > 0) duration = Milliseconds{static_cast<std::int64_t>(raw / 1000)};
}

void from_bus(std::uint64_t raw, std::optional<WallTime>& moment) {
    moment.reset();
    if (raw > 0) from_bus(raw, moment.emplace());
}

void from_bus(std::uint64_t raw, WallTime& moment) {
    moment = WallTime{Milliseconds{static_cast<std::int64_t>(raw / 1000)}};
}

int BusType<std::string>::append(sd_bus_message* message, const std::string& text) {
    return sd_bus_message_append_basic(message, 's', bus_text(text).c_str());
}

int BusType<std::string>::read(sd_bus_message* message, std::string& text) {
    const char* raw = nullptr;
    const int result = sd_bus_message_read_basic(message, 's', &raw);
    if (result > 0) text = raw;
    return result;
}

}  // namespace keyturn
