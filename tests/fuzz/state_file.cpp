// The state of a tunnel. An input that begins with "{\"tunnel_name\"" is given a true checksum, as
// if keyturn itself had written it; any other is the whole file.
#include "state/state_file.hpp"

#include "fuzz/input.hpp"
#include "token/digest.hpp"

#include <fmt/format.h>

using namespace keyturn;

namespace {

std::string file_of(std::string_view input) {
    if (!input.starts_with("{\"tunnel_name\"")) return std::string{input};
    return fmt::format("{{\"schema\":1,\"sha256\":\"{}\",\"state\":{}}}\n",
                       sha256_hex({"1", "\n", input}), input);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text = file_of(fuzz::text_of(data, size));
    const StateFile file = decode_state_file("web", text);
    invariant(file.kind != StateFile::Kind::absent, "a file that is there is not absent");
    const Result<StateChoice> choice = choose_state(file, StateFile{});
    if (file.kind != StateFile::Kind::whole) {
        const bool damaged = file.kind == StateFile::Kind::damaged;
        invariant(damaged != file.why.empty(), "damage is explained");
        invariant(!choice, "a state that is not whole is never taken for none");
        invariant(fuzz::is_one_line(choice.error().text), "an error is one line");
        return 0;
    }
    invariant(file.document.tunnel_name == "web", "a state belongs to its tunnel");
    invariant(choice && choice->document == file.document, "a whole state counts");
    const std::string written = encode_state_file(file.document);
    const StateFile again = decode_state_file("web", written);
    invariant(again.kind == StateFile::Kind::whole, "what is written can be read");
    invariant(again.document == file.document, "a state is read as it is written");
    StateDocument next = file.document;
    ++next.sequence;
    const Result<StateChoice> newer = choose_state(file, {StateFile::Kind::whole, next, {}});
    invariant(newer && newer->document->sequence == next.sequence, "the newer state counts");
    static_cast<void>(to_text(file.document.state.first_seen));
    return 0;
}
