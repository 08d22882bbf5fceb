#pragma once

#include "integration/peers/private_bus.hpp"

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace keyturn::testing {

/// Plays org.freedesktop.systemd1 at the other end of a PrivateBus: its manager object, and the
/// properties of its units. What it is asked is written down; what it answers can be scripted.
class FakeSystemd {
  public:
    /// Appends one variant to a message.
    using Value = std::function<void(sd_bus_message*)>;
    using Properties = std::map<std::string, Value>;
    /// Answers a method call in its own way, or not at all.
    using Script = std::function<void(sd_bus_message* call)>;

    explicit FakeSystemd(PrivateBus& bus);

    static Value text(std::string value);
    static Value number32(std::uint32_t value);
    static Value number64(std::uint64_t value);
    static Value flag(bool value);
    static Value texts(std::vector<std::string> values);
    static Value bytes(std::vector<std::uint8_t> values);
    static Value job(std::uint32_t id, std::string path);

    /// A healthy service.
    static Properties running(std::uint32_t pid = 4711);

    void signal_job_removed(const std::string& path, const char* unit, const char* result,
                            const char* sender = nullptr);
    /// As the bus daemon says it, when systemd has executed itself anew.
    void signal_new_owner(const char* owner);
    static void fail(sd_bus_message* call, const char* name, const char* message);
    static void reply_job(sd_bus_message* call, const std::string& path);

    std::map<std::string, Properties> units;
    std::vector<std::string> environment;  ///< Of the manager itself.
    /// Of ListUnitsByPatterns: glob -> (name, load state).
    std::map<std::string, std::vector<std::pair<std::string, std::string>>> lists;
    /// A unit in the answer to ListUnitsByNames, which is empty for all others.
    struct Listed {
        std::string load_state = "loaded";
        std::string active_state = "active";
        std::string sub_state = "running";
        std::uint32_t job = 0;
    };
    std::map<std::string, Listed> listed;
    bool knows_the_invocation = true;            ///< The answer to GetUnitByInvocationID.
    std::map<std::string, std::string> aliases;  ///< Name -> Id.
    /// By member. What is not here is answered as a systemd does that is content: a restart
    /// or a stop gets a job that is done at once.
    std::map<std::string, Script> scripts;
    std::vector<std::string> calls;  ///< "TryRestartUnit web.service fail".
    std::string next_job = "/org/freedesktop/systemd1/job/1";

  private:
    static int on_message(sd_bus_message* message, void* self, sd_bus_error* error);
    void answer(sd_bus_message* call);
    void answer_get_all(sd_bus_message* call);
    void answer_environment(sd_bus_message* call);
    void answer_id(sd_bus_message* call);
    void answer_list(sd_bus_message* call);
    void answer_list_by_name(sd_bus_message* call);
    void answer_invocation(sd_bus_message* call) const;
    void answer_job(sd_bus_message* call);

    PrivateBus& bus_;
};

}  // namespace keyturn::testing
