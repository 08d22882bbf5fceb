#include "policy/target.hpp"

#include "policy/key_paths.hpp"

#include <type_traits>
#include <utility>

namespace keyturn {
namespace {

template <class Owner>
Owner& owner_in(const Cursor& cursor) {
    if constexpr (std::is_same_v<Owner, CloudflarePolicy>) return *cursor.cloudflare;
    if constexpr (std::is_same_v<Owner, CredentialSource>) return *cursor.credential;
    if constexpr (std::is_same_v<Owner, ProxyPolicy>) return cursor.cloudflare->proxy;
    if constexpr (std::is_same_v<Owner, Window>) return *cursor.window;
    if constexpr (std::is_same_v<Owner, Freeze>) return *cursor.freeze;
    if constexpr (std::is_same_v<Owner, KnownHost>) return *cursor.host;
    if constexpr (std::is_same_v<Owner, TunnelPolicy>) return cursor.tunnel->policy;
    if constexpr (std::is_same_v<Owner, Schedule>) return cursor.tunnel->policy.schedule;
    if constexpr (std::is_same_v<Owner, RolloutPolicy>) return cursor.tunnel->policy.rollout;
    if constexpr (std::is_same_v<Owner, DriftPolicy>) return cursor.tunnel->policy.drift;
    if constexpr (std::is_same_v<Owner, Coordinator>) return *cursor.tunnel->policy.coordinator;
}

struct Storing {
    PolicyValue& value;
    const Cursor& cursor;

    void operator()(std::monostate) const {}

    /// The reader stores lists, the addresses of units and the sources of secrets itself.
    void operator()(std::vector<std::string> TunnelPolicy::*) const {}

    void operator()(std::vector<std::string> ProxyPolicy::*) const {}

    void operator()(std::map<std::string, std::string> TunnelPolicy::*) const {}

    void operator()(std::vector<std::string> Coordinator::*) const {}

    void operator()(CredentialSource Coordinator::*) const {}

    void operator()(Calendar Window::*member) const {
        owner_in<Window>(cursor).*member = std::get<std::vector<Calendar>>(value).front();
    }

    /// The word has already been checked against the choices.
    template <class Owner, Named Field>
    void operator()(Field Owner::*member) const {
        owner_in<Owner>(cursor).*member = *value_named<Field>(std::get<std::string>(value));
    }

    template <class Owner, class Field>
    void operator()(Field Owner::*member) const {
        owner_in<Owner>(cursor).*member = std::get<Field>(std::move(value));
    }
};

}  // namespace

void store(const KeySpec& spec, PolicyValue value, const Cursor& cursor) {
    std::visit(Storing{value, cursor}, spec.target);
}

void clear_list(const KeySpec& spec, TunnelDraft& tunnel) {
    if (spec.path == windows_path) {
        tunnel.window_places.clear();
        tunnel.policy.schedule.windows.clear();
    } else if (spec.path == freeze_path) {
        tunnel.freeze_places.clear();
        tunnel.policy.schedule.freezes.clear();
    } else {
        tunnel.host_places.clear();
        tunnel.policy.coordinator->hosts.clear();
    }
}

void begin_entry(const KeySpec& spec, Place place, Cursor& cursor) {
    TunnelPolicy& policy = cursor.tunnel->policy;
    if (spec.path == windows_path) {
        cursor.window = &policy.schedule.windows.emplace_back();
        cursor.tunnel->window_places.push_back(place);
    } else if (spec.path == freeze_path) {
        cursor.freeze = &policy.schedule.freezes.emplace_back();
        cursor.tunnel->freeze_places.push_back(place);
    } else {
        cursor.host = &policy.coordinator->hosts.emplace_back();
        cursor.tunnel->host_places.push_back(place);
    }
}

}  // namespace keyturn
