// The operator's policy. What is accepted can be written and read again; what is refused is refused
// with a place, in words that fit a terminal and tell no secret.
#include "base/url.hpp"
#include "fuzz/input.hpp"
#include "fuzz/policy_writer.hpp"
#include "policy/policy_file.hpp"
#include "policy/problem_list.hpp"

using namespace keyturn;

namespace {

void check_problem(const PolicyProblem& problem, const std::vector<std::string_view>& lines) {
    invariant(!problem.text.empty() && fuzz::is_one_line(problem.text), "a problem is one line");
    invariant(!fuzz::tells_secret(to_text(problem)), "a problem tells no secret");
    invariant(!fuzz::tells_secret(problem.source), "an excerpt tells no secret");
    invariant(sound_size(problem.text) == problem.text.size(), "a problem is text");
    invariant(sound_size(problem.source) == problem.source.size(), "an excerpt is text");
    if (problem.line == 0) return;
    invariant(problem.line >= 1 && problem.column >= 1, "a place counts from one");
    const auto line = static_cast<std::size_t>(problem.line);
    invariant(line <= lines.size() + 1, "a problem names a line of the file");
    const std::size_t width = line > lines.size() ? 0 : count_characters(lines[line - 1]);
    invariant(static_cast<std::size_t>(problem.column) <= width + 1, "and a column of the line");
}

void check_policy(const Policy& policy) {
    invariant(!policy.tunnels.empty(), "all is there");
    invariant(parse_url(policy.cloudflare.api_url).has_value(), "the API can be called");
    for (const std::string& warning : policy.warnings) {
        invariant(fuzz::is_one_line(warning) && !fuzz::tells_secret(warning), "a warning is safe");
    }
    for (const TunnelPolicy& tunnel : policy.tunnels) {
        const bool follows = tunnel.coordinator && !tunnel.coordinator->lead;
        invariant((follows && tunnel.credential.empty()) ||
                      policy.cloudflare.credentials.contains(tunnel.credential),
                  "references resolve");
        invariant(!tunnel.units.empty(), "a tunnel has units");
        const bool writable = tunnel.schedule.calendars.size() <= 1;
        if (!writable) return;
    }
    PolicyOutcome again = parse_policy(fuzz::written(policy), "again.yaml");
    invariant(std::holds_alternative<Policy>(again), "a policy can be read as it is written");
    // A warning names a place, and what `defaults` says is warned of once there.
    std::get<Policy>(again).warnings = policy.warnings;
    invariant(std::get<Policy>(again) == policy, "a policy is read as it is written");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text = fuzz::with_secrets(fuzz::text_of(data, size));
    const PolicyOutcome outcome = parse_policy(text, "keyturn.yaml");
    if (const Policy* policy = std::get_if<Policy>(&outcome)) {
        check_policy(*policy);
        return 0;
    }
    const auto& problems = std::get<std::vector<PolicyProblem>>(outcome);
    invariant(!problems.empty() && problems.size() <= policy_problems_max + 1, "they are bounded");
    const std::vector<std::string_view> lines = split_lines(text);
    for (const PolicyProblem& problem : problems) check_problem(problem, lines);
    return 0;
}
