#include "state/state_file.hpp"

#include "base/ascii.hpp"
#include "state/state_store.hpp"
#include "token/digest.hpp"

#include <fmt/format.h>

namespace keyturn {
namespace {

constexpr std::string_view before_schema = "{\"schema\":";
constexpr std::string_view before_checksum = ",\"sha256\":\"";
constexpr std::string_view before_state = "\",\"state\":";
constexpr std::string_view after_state = "}\n";
constexpr std::size_t checksum_size = 64;
constexpr std::size_t schema_digits_max = 6;

struct Envelope {
    std::string_view schema;
    std::string_view checksum;
    std::string_view state;
};

bool take(std::string_view& text, std::string_view word) {
    if (!text.starts_with(word)) return false;
    text.remove_prefix(word.size());
    return true;
}

std::optional<Envelope> open_envelope(std::string_view text) {
    Envelope envelope;
    if (!take(text, before_schema)) return std::nullopt;
    envelope.schema = text.substr(0, text.find(','));
    text.remove_prefix(envelope.schema.size());
    if (!take(text, before_checksum) || text.size() < checksum_size) return std::nullopt;
    envelope.checksum = text.substr(0, checksum_size);
    text.remove_prefix(checksum_size);
    if (!take(text, before_state) || !text.ends_with(after_state)) return std::nullopt;
    envelope.state = text.substr(0, text.size() - after_state.size());
    return envelope;
}

std::string checksum_of(std::string_view schema, std::string_view state) {
    return sha256_hex({schema, "\n", state});
}

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
    const std::string schema = std::to_string(state_schema);
    const std::string state = encode_document(document);
    std::string text;
    text.append(before_schema).append(schema);
    text.append(before_checksum).append(checksum_of(schema, state));
    text.append(before_state).append(state).append(after_state);
    return text;
}

StateFile decode_state_file(std::string_view tunnel_name, std::string_view text) {
    if (text.empty()) return damaged("it is empty");
    const std::optional<Envelope> envelope = open_envelope(text);
    if (!envelope) return damaged("it is cut off or was edited");
    if (envelope->checksum != checksum_of(envelope->schema, envelope->state)) {
        return damaged("its checksum does not match");
    }
    const auto schema = to_number<int>(envelope->schema);
    if (schema.value_or(0) < 1 || envelope->schema.size() > schema_digits_max)
        return damaged("its schema is not a number");
    if (*schema > state_schema) return StateFile{StateFile::Kind::newer, StateDocument{}, {}};
    Result<StateDocument> document = decode_document(envelope->state);
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
