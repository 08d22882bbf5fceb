#pragma once

#include "time/moment.hpp"

#include <systemd/sd-bus.h>

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace keyturn {

/// A D-Bus signature that the compiler builds.
template <char... letters>
struct Signature {
    static constexpr char text[] = {letters..., '\0'};
};

template <char... left, char... right>
constexpr Signature<left..., right...> operator+(Signature<left...>, Signature<right...>) {
    return {};
}

/// Writes a value into a D-Bus message and reads it from one: `signature`, `append` and `read`.
/// Both functions return a negative errno on failure; `read` returns 0 at the end of an array.
template <class Value>
struct BusType;

/// The members of a struct in their order on the bus. Each such struct has a specialisation.
template <class Struct>
inline constexpr auto bus_members = nullptr;

/// Converts a value to the number that sd-bus takes. A moment becomes microseconds since 1970 UTC,
/// like the times of systemd. A duration becomes microseconds, at least 1 ms. 0 means none.
[[nodiscard]] constexpr int to_bus(int number) {
    return number;
}
[[nodiscard]] std::uint64_t to_bus(const std::optional<WallTime>& moment);
[[nodiscard]] std::uint64_t to_bus(const std::optional<Milliseconds>& duration);

constexpr void from_bus(int raw, int& number) {
    number = raw;
}
constexpr void from_bus(int raw, bool& flag) {
    flag = raw != 0;
}
void from_bus(std::uint64_t raw, std::optional<WallTime>& moment);
void from_bus(std::uint64_t raw, WallTime& moment);
void from_bus(std::uint64_t raw, std::optional<Milliseconds>& duration);

template <class Value, char letter>
struct BasicBusType {
    static constexpr Signature<letter> signature{};

    static int append(sd_bus_message* message, const Value& value) {
        const auto raw = to_bus(value);
        return sd_bus_message_append_basic(message, letter, &raw);
    }

    static int read(sd_bus_message* message, Value& value) {
        decltype(to_bus(value)) raw = 0;
        const int result = sd_bus_message_read_basic(message, letter, &raw);
        if (result > 0) from_bus(raw, value);
        return result;
    }
};

template <>
struct BusType<int> : BasicBusType<int, 'i'> {};
template <>
struct BusType<bool> : BasicBusType<bool, 'b'> {};
template <>
struct BusType<WallTime> : BasicBusType<WallTime, 't'> {};
template <>
struct BusType<std::optional<WallTime>> : BasicBusType<std::optional<WallTime>, 't'> {};
template <>
struct BusType<std::optional<Milliseconds>> : BasicBusType<std::optional<Milliseconds>, 't'> {};

template <>
struct BusType<std::string> {
    static constexpr Signature<'s'> signature{};
    static int append(sd_bus_message* message, const std::string& text);
    static int read(sd_bus_message* message, std::string& text);
};

template <class Item>
struct BusType<std::vector<Item>> {
    static constexpr auto signature = Signature<'a'>{} + BusType<Item>::signature;

    static int append(sd_bus_message* message, const std::vector<Item>& items) {
        int result = sd_bus_message_open_container(message, 'a', BusType<Item>::signature.text);
        for (const Item& item : items) {
            if (result >= 0) result = BusType<Item>::append(message, item);
        }
        return result < 0 ? result : sd_bus_message_close_container(message);
    }

    static int read(sd_bus_message* message, std::vector<Item>& items) {
        int result = sd_bus_message_enter_container(message, 'a', BusType<Item>::signature.text);
        if (result <= 0) return result;
        items.clear();
        Item item{};
        while ((result = BusType<Item>::read(message, item)) > 0) {
            items.push_back(std::exchange(item, {}));
        }
        return result < 0 ? result : sd_bus_message_exit_container(message);
    }
};

/// A struct whose members `bus_members` lists.
template <class Struct>
requires(!std::is_null_pointer_v<std::remove_cv_t<decltype(bus_members<Struct>)>>) struct BusType<
    Struct> {
    template <class Value>
    static BusType<Value> type_of(Value Struct::*);

    static constexpr auto contents =
        std::apply([](auto... member) { return (decltype(type_of(member))::signature + ...); },
                   bus_members<Struct>);
    static constexpr auto signature = Signature<'('>{} + contents + Signature<')'>{};

    static int append(sd_bus_message* message, const Struct& value) {
        int result = sd_bus_message_open_container(message, 'r', contents.text);
        const auto append_one = [&](auto member) {
            if (result >= 0) result = decltype(type_of(member))::append(message, value.*member);
        };
        std::apply([&](auto... member) { (append_one(member), ...); }, bus_members<Struct>);
        return result < 0 ? result : sd_bus_message_close_container(message);
    }

    static int read(sd_bus_message* message, Struct& value) {
        int result = sd_bus_message_enter_container(message, 'r', contents.text);
        if (result <= 0) return result;
        const auto read_one = [&](auto member) {
            if (result >= 0) result = decltype(type_of(member))::read(message, value.*member);
        };
        std::apply([&](auto... member) { (read_one(member), ...); }, bus_members<Struct>);
        return result < 0 ? result : sd_bus_message_exit_container(message);
    }
};

}  // namespace keyturn
