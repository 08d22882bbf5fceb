#include "state/record_json.hpp"

#include "state/record_members.hpp"

namespace keyturn {
namespace {

/// Low enough that counting on never overflows.
constexpr std::int64_t sequence_max = 1'000'000'000'000'000;

using Writer = JsonWriter<AnyText>;
using Reader = JsonReader<AnyText>;

}  // namespace

template <class Visitor, IsA<StateDocument> Record>
void describe(Visitor& visit, Record& document) {
    visit("tunnel_name", document.tunnel_name);
    visit("sequence", document.sequence);
    describe(visit, document.state);
}

std::string encode_document(const StateDocument& document) {
    return Writer::text_of(document);
}

std::string encode_history_entry(const HistoryEntry& entry) {
    return Writer::text_of(entry);
}

Result<StateDocument> decode_document(std::string_view text) {
    Result<StateDocument> document = Reader::record<StateDocument>(text);
    if (document && (document->sequence < 0 || document->sequence > sequence_max)) {
        return Error{Fault::invalid, "unexpected content at \"sequence\""};
    }
    return document;
}

Result<HistoryEntry> decode_history_entry(std::string_view text) {
    return Reader::record<HistoryEntry>(text);
}

}  // namespace keyturn
