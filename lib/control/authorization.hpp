#pragma once

#include "bus/bus.hpp"

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>

namespace keyturn {

/// Why a caller may not act: the error name and text of the D-Bus reply.
struct Denial {
    const char* error_name;
    std::string text;
};

/// Decides who may act: root always, other users if polkit allows it. It asks the bus and polkit
/// without blocking the loop, and keeps the call until both have answered. The number of kept calls
/// is limited for each connection and each user, so that nobody can block others.
class Authorization {
  public:
    /// `denial` is nullptr if the caller may act. Called once, from inside the bus pump.
    using Decide = std::function<void(sd_bus_message* call, const Denial* denial)>;

    explicit Authorization(Bus& bus);
    ~Authorization();
    Authorization(const Authorization&) = delete;
    Authorization& operator=(const Authorization&) = delete;

    /// `action` is a polkit action, as a string literal. polkit rules can use the tunnel as the
    /// detail "tunnel".
    void ask(sd_bus_message* call, const char* action, const std::string& tunnel, Decide decide);

    /// Drops all calls without a decision, because the bus connection is gone.
    void forget();

  private:
    class Inquiry;
    [[nodiscard]] std::optional<Denial> too_many_questions(std::uint32_t user) const;

    Bus& bus_;
    std::list<std::unique_ptr<Inquiry>> open_;
    unsigned long asked_ = 0;
};

}  // namespace keyturn
