#include "doctor/network_look.hpp"

#include "base/ascii.hpp"
#include "doctor/probe.hpp"
#include "http/resolver.hpp"
#include "setup/foreground.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

namespace keyturn {

namespace {

constexpr std::array<std::string_view, 3> proxy_names{"http_proxy", "https_proxy", "all_proxy"};

/// Addresses of one host, among all probes.
struct Asked {
    const NetworkTarget* target;
    std::vector<PortSeen>* into;
    std::size_t begin = 0;
    std::size_t end = 0;
};

class Look {
  public:
    Look(Foreground& host, const NetworkOptions& options) : host_(host), options_(options) {}

    NetworkSeen run() {
        const std::vector<Addresses> addresses = resolved();
        std::size_t next = 0;
        for (const NetworkTarget& target : options_.api)
            add(target, addresses[next++], Transport::tcp, seen_.api_tcp);
        for (const NetworkTarget& target : options_.edge) {
            add(target, addresses[next], Transport::tcp, seen_.edge_tcp);
            add(target, addresses[next++], Transport::udp, seen_.edge_udp);
        }
        try_all(host_.clock(), probes_, options_.answer_patience);
        for (const Asked& asked : asked_) asked.into->push_back(judged(asked));
        return std::move(seen_);
    }

  private:
    /// The addresses of all targets, in their order: the silence of a name server is waited for
    /// only once.
    std::vector<Addresses> resolved() {
        std::vector<Task<Result<Addresses>>> questions;
        for (const auto* targets : {&options_.api, &options_.edge})
            for (const NetworkTarget& target : *targets)
                questions.push_back(
                    resolve(target.host, options_.name_servers, options_.resolve_patience));
        auto answers = host_.wait_for_all(std::move(questions));
        std::vector<Addresses> all;
        const auto take = [&](const NetworkTarget& target, std::vector<NameSeen>& into) {
            Result<Addresses>& answer = answers[all.size()];
            into.push_back({target.host, answer ? "" : answer.error().text});
            all.push_back(answer ? std::move(*answer) : Addresses{});
        };
        for (const NetworkTarget& target : options_.api) take(target, seen_.api_names);
        for (const NetworkTarget& target : options_.edge) take(target, seen_.edge_names);
        return all;
    }

    void add(const NetworkTarget& target, const Addresses& addresses, Transport transport,
             std::vector<PortSeen>& into) {
        std::uint16_t port = 0;
        std::from_chars(target.port.data(), target.port.data() + target.port.size(), port);
        if (addresses.empty()) return;
        Asked asked{&target, &into, probes_.size(), 0};
        for (const auto& address : addresses)
            probes_.push_back({address, port, transport, false, {}});
        asked.end = probes_.size();
        asked_.push_back(asked);
    }

    /// One address that answers is enough.
    [[nodiscard]] PortSeen judged(const Asked& asked) const {
        PortSeen port{asked.target->host, asked.target->port, false, {}};
        for (std::size_t i = asked.begin; i < asked.end; ++i) {
            port.answered = port.answered || probes_[i].answered;
            if (port.problem.empty()) port.problem = probes_[i].problem;
        }
        return port;
    }

    Foreground& host_;
    const NetworkOptions& options_;
    NetworkSeen seen_;
    std::vector<Probe> probes_;
    std::vector<Asked> asked_;
};

}  // namespace

NetworkSeen look_at_network(Foreground& host, const NetworkOptions& options) {
    return Look(host, options).run();
}

std::vector<std::string> proxy_variables(const std::vector<std::string>& environment,
                                         const std::string& whose) {
    std::vector<std::string> found;
    for (const std::string& entry : environment) {
        const std::string name = entry.substr(0, entry.find('='));
        if (std::ranges::find(proxy_names, lower(name)) != proxy_names.end())
            found.push_back(name + " of " + whose);
    }
    return found;
}

}  // namespace keyturn
