#pragma once

#include "policy/policy_file.hpp"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <variant>

namespace keyturn {

/// A policy for tests: `text`, then the sections that every policy needs and `text` leaves out.
[[nodiscard]] inline std::string completed(std::string text) {
    const auto add = [&](std::string_view key, std::string_view section) {
        const bool there =
            text.starts_with(key) || text.find(fmt::format("\n{}", key)) != std::string::npos;
        if (!there) text += section;
    };
    add("version:", "version: 1\n");
    add("cloudflare:", "cloudflare: {credentials: {main: {credential: cloudflare-api-token}}}\n");
    add("tunnels:",
        "tunnels: {web: {account: 699d98642c564d2e855e9661899b7252, "
        "tunnel: f70ff985-a4ef-4643-bbbc-4a0ed4fc8415, credential: main, "
        "units: [\"web@*.service\"]}}\n");
    return text;
}

/// Every problem as an operator sees it, one below the other; "" for a sound policy.
[[nodiscard]] inline std::string problems_of(const PolicyOutcome& outcome) {
    std::string text;
    if (const auto* problems = std::get_if<std::vector<PolicyProblem>>(&outcome)) {
        for (const PolicyProblem& problem : *problems) text += to_text(problem) + "\n";
    }
    return text;
}

}  // namespace keyturn
