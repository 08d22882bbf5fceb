// A unit name or glob of the policy, then the name of a unit, one a line. What is accepted can only
// mean services, and only those that begin alike.
#include "policy/unit_pattern.hpp"

#include "fuzz/input.hpp"

using namespace keyturn;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string input = fuzz::with_secrets(fuzz::text_of(data, size));
    std::string_view rest = input;
    const std::string pattern{fuzz::take_line(rest)};
    const std::string name{fuzz::take_line(rest)};
    const Result<void> checked = check_unit_pattern(pattern);
    if (!checked) {
        const std::string& why = checked.error().text;
        invariant(!why.empty() && fuzz::is_one_line(why), "a refusal is one line");
        invariant(!fuzz::tells_secret(why), "a refusal tells no secret");
        return 0;
    }
    invariant(fuzz::is_printable_ascii(pattern) && pattern.find('/') == std::string::npos,
              "a pattern is fit for file names and messages");
    invariant(pattern.ends_with(".service"), "a pattern stands for services");
    if (!is_glob(pattern)) {
        invariant(glob_matches(pattern, pattern), "a name matches itself");
        return 0;
    }
    if (name.find('\0') == std::string::npos && glob_matches(pattern, name)) {
        invariant(name.front() == pattern.front(), "a glob keeps to its first letter");
        invariant(name.ends_with("ervice"), "a glob stands for services");
    }
    return 0;
}
