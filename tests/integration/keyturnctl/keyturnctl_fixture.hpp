#pragma once

#include "integration/keyturnctl/keyturnctl_process.hpp"
#include "integration/peers/control_fixture.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <string>
#include <utility>
#include <vector>

namespace keyturn::testing {

/// The real keyturnctl, with a service behind the real bus.
class KeyturnctlTest : public ControlTest {
  protected:
    KeyturnctlProcess start(std::vector<std::string> arguments, Output output = Output::pipe) {
        return KeyturnctlProcess(daemon_.address(), std::move(arguments), output);
    }

    /// Output and exit code of one that ends by itself.
    std::pair<std::string, int> run(std::vector<std::string> arguments) {
        KeyturnctlProcess process = start(std::move(arguments));
        EXPECT_TRUE(turn_until([&] { return process.ended(); }));
        return {process.output(), process.exit_code()};
    }

    void soak() {
        const auto now = std::chrono::floor<Milliseconds>(std::chrono::system_clock::now());
        tunnels_[0].state = "running";
        tunnels_[0].phase = "soak";
        tunnels_[0].started = now;
        tunnels_[0].step_started = now - 60s;
        tunnels_[0].step_ends = now + 60s;
        tunnels_[0].batch = 1;
        tunnels_[0].batch_count = 2;
        tunnels_[0].units = {{"cloudflared-web@a.service", "verified", 1, 4, "systemd, ready"},
                             {"cloudflared-web@b.service", "waiting", 2, 4, ""}};
    }

    void finish() {
        tunnels_[0].state = "idle";
        tunnels_[0].phase = "";
        tunnels_[0].last_outcome = "done";
        tunnels_[0].last_done = *tunnels_[0].started + 90s;
        tunnels_[0].last_ended = tunnels_[0].last_done;
        tunnels_[0].started.reset();
    }

    [[nodiscard]] bool says(KeyturnctlProcess& process, const std::string& text) {
        return turn_until([&] { return process.has_said(text) || process.ended(); }) &&
               process.has_said(text);
    }
};

}  // namespace keyturn::testing
