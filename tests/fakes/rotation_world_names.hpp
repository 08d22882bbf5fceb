#pragma once

#include "rotation/action.hpp"

#include <fmt/format.h>

#include <string>

// The names of the actions in RotationWorld::log.

namespace keyturn {

inline std::string log_name(const InspectTunnel&) {
    return "inspect tunnel";
}
inline std::string log_name(const ReadToken&) {
    return "read token";
}
inline std::string log_name(const ListConnectors&) {
    return "list connectors";
}
inline std::string log_name(const InspectUnits&) {
    return "inspect units";
}
inline std::string log_name(const SampleUnits&) {
    return "sample";
}
inline std::string log_name(const CheckFiles&) {
    return "check files";
}
inline std::string log_name(const PrepareSecret&) {
    return "prepare";
}
inline std::string log_name(const SaveRecord& action) {
    return fmt::format("save {}", name_of(action.record.phase));
}
inline std::string log_name(const CommitSecret&) {
    return "patch";
}
inline std::string log_name(const DeliverToken&) {
    return "deliver";
}
inline std::string log_name(const PutBackToken&) {
    return "put back";
}
inline std::string log_name(const KeepToken&) {
    return "keep token";
}
inline std::string log_name(const TakeBackSecret&) {
    return "take back";
}
inline std::string log_name(const WipeOldSecret&) {
    return "wipe old";
}
inline std::string log_name(const EvictConnector& action) {
    return "evict " + (action.id.empty() ? "all" : action.id);
}
inline std::string log_name(const StopUnit& action) {
    return "stop " + action.unit;
}
inline std::string log_name(const RestartUnit& action) {
    return "restart " + action.unit;
}
inline std::string log_name(const Wait&) {
    return "wait";
}
inline std::string log_name(const ForgetSecrets&) {
    return "forget";
}
inline std::string log_name(const Conclude& action) {
    return "conclude " + std::string(name_of(action.entry.outcome));
}

}  // namespace keyturn
