#include "state/state_file.hpp"

#include "state/envelope.hpp"
#include "state/state_store.hpp"

#include <fmt/format.h>

namespace keyturn {
namespace {

StateFile damaged(std::string why) {
    return StateFile{StateFile::Kind::damaged, StateDocument{}, std::move(why)};
}

Error untrusted(std::string_view why) {
    return Error{Fault::invalid,
                 fmt::format("the state cannot be trusted: {}; keyturnd does not replace it with a "
                             "new one, because that could send a second secret",
                             why)};
}

/// Describes a file that cannot be used.
std::string describe(const StateFile& file) {
    if (file.kind == StateFile::Kind::absent) return "missing";
    return fmt::format("damaged ({})", file.why);
}

}  // namespace

std::string encode_state_file(const StateDocument& document) {
    return in_envelope(state_schema, encode_document(document));
}

StateFile decode_state_file(std::string_view tunnel_name, std::string_view text) {
    const Envelope envelope = open_envelope(text);
    if (!envelope.damage.empty()) return damaged(envelope.damage);
    if (envelope.schema > state_schema)
        return StateFile{StateFile::Kind::newer, StateDocument{}, {}};
    Result<StateDocument> document = decode_document(envelope.json);
    if (!document) return damaged(document.error().text);
    if (document->tunnel_name != tunnel_name) return damaged("it is the state of another tunnel");
    return StateFile{StateFile::Kind::whole, std::move(*document), {}};
}

Result<StateChoice> choose_state(const StateFile& current, const StateFile& previous) {
    using Kind = StateFile::Kind;
    if (current.kind == Kind::newer ||
        (previous.kind == Kind::newer && current.kind != Kind::whole)) {
        return untrusted(
            "a newer version of keyturn wrote it: install that version again, or finish the "
            "rotation with it before going back");
    }
    if (current.kind == Kind::whole) {
        const bool put_back =
            previous.kind == Kind::whole && previous.document.sequence > current.document.sequence;
        if (!put_back) return StateChoice{current.document, true, {}};
        return StateChoice{previous.document, false,
                           "the state is older than the one before it, as after restoring a "
                           "backup; keyturnd uses the newer of the two"};
    }
    if (previous.kind == Kind::whole) {
        return StateChoice{
            previous.document, false,
            fmt::format("the state is {}; keyturnd uses the one before it", describe(current))};
    }
    if (current.kind == Kind::absent && previous.kind == Kind::absent) return StateChoice{};
    return untrusted(
        fmt::format("it is {} and the one before it is {}", describe(current), describe(previous)));
}

}  // namespace keyturn
