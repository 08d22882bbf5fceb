// An answer over HTTP: it means the same in whatever pieces it arrives, unless it meets a limit.
// Beast counts the headers of each piece, so that a header of about that size may pass or not.
#include "fuzz/input.hpp"
#include "http/response_reader.hpp"

#include <cstring>

using namespace keyturn;

namespace {

struct Outcome {
    bool whole = false;
    bool limited = false;
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;

    bool operator==(const Outcome&) const = default;
};

HttpLimits limits() {
    HttpLimits limits;
    limits.header_bytes_max = 1024;
    limits.body_bytes_max = 2048;
    return limits;
}

void check(const Error& error) {
    invariant(fuzz::is_one_line(error.text) && !fuzz::tells_secret(error.text),
              "a fault tells no secret");
    invariant(error.fault == Fault::invalid || error.fault == Fault::ambiguous,
              "an answer is wrong, or cut off");
}

bool meets_limit(std::string_view text) {
    return text.find("exceed") != std::string_view::npos ||
           text.find("too long") != std::string_view::npos ||
           text.find("does not end") != std::string_view::npos;
}

Outcome read_in_pieces(std::string_view bytes, std::size_t piece) {
    ResponseReader reader(limits());
    Result<bool> whole = false;
    while (!bytes.empty() && whole && !*whole) {
        const auto space = reader.space();
        invariant(!space.empty(), "there is room before an answer is whole");
        const std::size_t size = std::min({piece, bytes.size(), space.size()});
        std::memcpy(space.data(), bytes.data(), size);
        bytes.remove_prefix(size);
        whole = reader.received(size);
    }
    if (whole && !*whole) whole = reader.ended();
    if (!whole) {
        check(whole.error());
        Outcome refused;
        refused.limited = meets_limit(whole.error().text);
        return refused;
    }
    HttpResponse response = reader.take();
    invariant(response.body.size() <= limits().body_bytes_max, "a body keeps to its limit");
    return {true, false, response.status, response.headers, std::string(response.body.reveal())};
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string bytes = fuzz::with_secrets(fuzz::text_of(data, size));
    const Outcome at_once = read_in_pieces(bytes, bytes.size() + 1);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}}) {
        const Outcome in_pieces = read_in_pieces(bytes, piece);
        invariant(at_once.limited || in_pieces.limited || in_pieces == at_once,
                  "in pieces it is the same answer");
    }
    return 0;
}
