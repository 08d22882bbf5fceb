#pragma once

#include "policy/key_table.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

namespace keyturn {

// What a value looks like where it does not print itself.
inline void PrintTo(const Calendar& calendar, std::ostream* out) {
    *out << calendar.text();
}
inline void PrintTo(const TimeZone& zone, std::ostream* out) {
    *out << zone.name();
}

template <class Owner>
Owner first_of(const std::vector<Owner>& list) {
    return list.empty() ? Owner{} : list.front();
}

template <class Owner>
Owner part_of(const Policy& policy) {
    if constexpr (std::is_same_v<Owner, CloudflarePolicy>) return policy.cloudflare;
    if constexpr (std::is_same_v<Owner, ProxyPolicy>) return policy.cloudflare.proxy;
    if constexpr (std::is_same_v<Owner, TunnelPolicy>) return policy.tunnels.at(0);
    if constexpr (std::is_same_v<Owner, Schedule>) return policy.tunnels.at(0).schedule;
    if constexpr (std::is_same_v<Owner, Window>)
        return first_of(policy.tunnels.at(0).schedule.windows);
    if constexpr (std::is_same_v<Owner, Freeze>)
        return first_of(policy.tunnels.at(0).schedule.freezes);
    if constexpr (std::is_same_v<Owner, KnownHost>)
        return first_of(part_of<Coordinator>(policy).hosts);
    if constexpr (std::is_same_v<Owner, RolloutPolicy>) return policy.tunnels.at(0).rollout;
    if constexpr (std::is_same_v<Owner, DriftPolicy>) return policy.tunnels.at(0).drift;
    if constexpr (std::is_same_v<Owner, Coordinator>)
        return policy.tunnels.at(0).coordinator ? *policy.tunnels.at(0).coordinator : Coordinator{};
}

template <class Field>
std::string shown(const Field& value) {
    if constexpr (Named<Field>) {
        return testing::PrintToString(std::string(name_of(value)));
    } else if constexpr (std::is_same_v<Field, CredentialSource>) {
        return "credential " + value.credential + ", file " + value.file;
    } else {
        return testing::PrintToString(value);
    }
}

template <class Owner, class Field>
std::string shown(const Policy& policy, Field Owner::*member) {
    return shown(part_of<Owner>(policy).*member);
}

/// The empty value of a member, as text.
template <class Owner, class Field>
std::string shown_empty(Field Owner::*) {
    return shown(Field{});
}

/// The secret of a coordinator that a key is a part of; the API token "main" for other keys.
inline CredentialSource source_of(const Policy& policy, const KeySpec& spec) {
    for (const KeySpec& section : key_table()) {
        const auto* target = std::get_if<CredentialSource Coordinator::*>(&section.target);
        if (target != nullptr && spec.parent() == section.path)
            return part_of<Coordinator>(policy).*(*target);
    }
    return policy.cloudflare.credentials.at("main");
}

/// The value of a key in a policy as text; "" for keys without a target.
inline std::string value_in(const Policy& policy, const KeySpec& spec) {
    return std::visit(
        [&](auto target) -> std::string {
            using Target = decltype(target);
            if constexpr (std::is_same_v<Target, std::monostate>)
                return {};
            else if constexpr (std::is_same_v<Target, std::string CredentialSource::*>)
                return testing::PrintToString(source_of(policy, spec).*target);
            else
                return shown(policy, target);
        },
        spec.target);
}

/// A policy with one tunnel and one credential, and nothing else set.
inline Policy built_in() {
    Policy policy;
    policy.tunnels.emplace_back();
    policy.cloudflare.credentials["main"];
    return policy;
}

}  // namespace keyturn
