#pragma once

#include "bus/bus.hpp"

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>

namespace keyturn {

/// Why a caller may not act, as the bus is told.
struct Denial {
    const char* error_name;
    std::string text;
};

/// Decides who may act: root at once, everybody else by polkit. Both questions go over the bus and
/// are asked without waiting in the loop; the call that is being decided is kept meanwhile. How
/// many are kept is limited by connection and by user, so that nobody fills the place of others.
class Authorization {
  public:
    /// `denial` is nullptr when the caller may act. Called once, from inside the bus pump.
    using Decide = std::function<void(sd_bus_message* call, const Denial* denial)>;

    explicit Authorization(Bus& bus);
    ~Authorization();
    Authorization(const Authorization&) = delete;
    Authorization& operator=(const Authorization&) = delete;

    /// `action` is a polkit action, a literal. Rules may look at the tunnel: the detail "tunnel".
    void ask(sd_bus_message* call, const char* action, const std::string& tunnel, Decide decide);

    /// The connection is gone: nobody is left to answer, so nothing is decided.
    void forget();

  private:
    class Inquiry;
    [[nodiscard]] std::optional<Denial> too_many_questions(std::uint32_t user) const;

    Bus& bus_;
    std::list<std::unique_ptr<Inquiry>> open_;
    unsigned long asked_ = 0;
};

}  // namespace keyturn
