// A unit's settings, and where its token comes from: items that end in NUL, the first letter of
// each says what it is. What an operator is advised to write is read back as systemd reads it, and
// works.
#include "setup/unit_drop_in.hpp"
#include "cloudflared/token_source.hpp"
#include "fuzz/input.hpp"
#include "fuzz/unit_words.hpp"
#include "units/redaction.hpp"

#include <fmt/ranges.h>

using namespace keyturn;

namespace {

const std::string token_file = "/var/lib/keyturn/tokens/web";

void add(UnitSettings& settings, ArgumentCut& cut, char kind, const std::string& text) {
    constexpr std::string_view contents = R"(TUNNEL_CRED_CONTENTS='{"a": "", "TunnelSecret": ")";
    switch (kind) {
        case 'a': settings.exec_start.back().push_back(cut.next(text)); break;
        case 'j':
            settings.exec_start.back().push_back(
                cut.next(fmt::format("{}{}{}\"}}'", text, contents, fuzz::planted_secret)));
            break;
        case 'c':
            settings.exec_start.emplace_back();
            cut = ArgumentCut();
            break;
        case 'e': settings.environment.push_back(cut_environment(text)); break;
        case 'f': settings.environment_files.push_back(text); break;
        case 'u': settings.unset_environment.push_back(text); break;
        case 'p': settings.pass_environment.push_back(text); break;
        case 'l': settings.load_credentials.emplace_back("token", text); break;
        default: break;
    }
}

UnitSettings settings_from(std::string_view input) {
    UnitSettings settings;
    settings.name = "web@1.service";
    settings.exec_start.emplace_back();
    if (fuzz::tells_secret(input)) return settings;
    ArgumentCut cut;
    while (!input.empty()) {
        const std::size_t end = std::min(input.find('\0'), input.size());
        const std::string_view item = input.substr(0, end);
        // A secret without a mark is cut off only where it is named: see 'j'.
        const bool may_spill = item.starts_with('a') || item.starts_with('e');
        const bool marked = item.find("@S@") == std::string_view::npos;
        const std::string text = may_spill && marked ? fuzz::with_secrets(item) : std::string(item);
        if (!text.empty()) add(settings, cut, text.front(), text.substr(1));
        input.remove_prefix(std::min(end + 1, input.size()));
    }
    return settings;
}

void check_text(const std::string& text) {
    const auto is_control = [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; };
    invariant(std::none_of(text.begin(), text.end(), is_control), "advice is one line");
    invariant(!fuzz::tells_secret(text), "advice tells no secret");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const UnitSettings settings = settings_from(fuzz::text_of(data, size));
    const auto problem = token_source_problem(settings, token_file);
    if (problem) check_text(*problem);
    invariant(problem || token_source_of(settings).path == token_file, "a sound unit reads it");
    check_text(metrics_address_of(settings).value_or(""));

    const std::vector<std::string> lines = token_drop_in(settings, token_file);
    const TokenOrigin origin = token_source_of(settings).origin;
    const bool none = origin == TokenOrigin::not_cloudflared || origin == TokenOrigin::program;
    invariant(!none || lines.empty(), "there are lines for what can be written anew only");
    for (const std::string& line : lines) check_text(line);
    if (lines.empty()) return 0;
    const UnitSettings advised = fuzz::with_drop_in(settings, lines);
    invariant(!token_source_problem(advised, token_file), "the advice works");
    return 0;
}
