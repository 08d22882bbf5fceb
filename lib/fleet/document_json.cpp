#include "fleet/document_json.hpp"

#include "fleet/document_check.hpp"
#include "state/record_members.hpp"

#include <type_traits>

namespace keyturn {
namespace {

/// What is written and what is read: the document after its format.
struct WrittenText {
    int format = fleet_format;
    const FleetDocument& document;
};
struct ReadText {
    int format = 0;
    FleetDocument document;
};

}  // namespace

// The members of each part, listed once for both directions.

template <class Visitor, IsA<FleetLead> Record>
void describe(Visitor& visit, Record& lead) {
    visit("host", lead.host);
    visit("beat", lead.beat);
}

template <class Visitor, IsA<SealedTokens> Record>
void describe(Visitor& visit, Record& sealed) {
    visit("rotation", sealed.rotation_id);
    visit("key", sealed.key_id);
    visit("nonce", sealed.nonce);
    visit.unchecked("text", sealed.text);
}

template <class Visitor, IsA<FleetTurn> Record>
void describe(Visitor& visit, Record& turn) {
    visit("number", turn.number);
    visit("unit", turn.unit);
    visit("rotation", turn.rotation_id);
    visit("verb", turn.verb);
    visit("deadline_ms", turn.deadline);
    visit("hurried", turn.hurried);
    visit("state", turn.state);
    visit("invocation_before", turn.invocation_before);
    visit("result", turn.result);
    visit("fault", turn.fault);
    visit("why", turn.why);
    visit("not_reset", turn.not_reset);
}

template <class Visitor, IsA<FleetOrder> Record>
void describe(Visitor& visit, Record& order) {
    visit("number", order.number);
    visit("done", order.done);
    visit("id", order.id);
    visit("kind", order.kind);
    visit.rare("request", order.request);
    visit("by", order.by);
    visit("refusal", order.refusal);
}

/// Its name is that of its setup.
template <class Visitor, IsA<UnitState> Record>
void describe(Visitor& visit, Record& state) {
    visit.rare("load", state.load_state, "loaded");
    visit.rare("active", state.active_state, "active");
    visit.rare("sub", state.sub_state, "running");
    visit.rare("result", state.result, "success");
    visit.rare("invocation", state.invocation);
    visit.rare("pid", state.main_pid);
    visit.rare("cgroup", state.control_group_id);
    visit.rare("job", state.job_pending);
}

template <class Visitor, IsA<Readiness> Record>
void describe(Visitor& visit, Record& readiness) {
    visit("connector", readiness.connector_id);
    visit.rare("tunnel", readiness.tunnel);
    visit("connections", readiness.connections);
    visit.rare("serving", readiness.serving, true);
}

template <class Visitor, IsA<SampleUnits::Sample> Record>
void describe(Visitor& visit, Record& sample) {
    visit("state", sample.state);
    visit.rare("ready", sample.readiness);
    visit.rare("unasked", sample.unasked);
}

template <class Visitor, IsA<InspectUnits::Unit> Record>
void describe(Visitor& visit, Record& unit) {
    visit("name", unit.name);
    visit.rare("problem", unit.problem);
    visit.rare("stop_and_start_ms", unit.stop_and_start);
    visit.rare("surge", unit.surge);
    visit.rare("not_allowed", unit.not_allowed);
    visit.rare("passed_over", unit.passed_over);
    visit.rare("findings", unit.findings);
    visit.rare("elsewhere", unit.elsewhere);
}

/// A unit that was not sampled yet has no state either.
template <class Visitor, IsA<MemberUnit> Record>
void describe(Visitor& visit, Record& unit) {
    visit("setup", unit.setup);
    visit.rare("seen", unit.seen);
    if constexpr (!std::is_const_v<Record>) {
        if (!visit.lacks("seen")) unit.seen.state.name = unit.setup.name;
    }
}

template <class Visitor, IsA<FleetMember> Record>
void describe(Visitor& visit, Record& member) {
    visit("install", member.install);
    visit("mark", member.mark);
    visit("eligible", member.eligible);
    visit.rare("speaks", member.speaks, {1});
    visit("version", member.version);
    visit("keys", member.keys);
    visit("policy", member.policy);
    visit("min_available", member.min_available);
    visit("answers", member.answers);
    visit("file", member.file);
    visit("staged", member.staged);
    visit.rare("problem", member.problem);
    visit.rare("lacks", member.lacks);
    visit("units", member.units);
}

template <class Visitor, IsA<RolloutPolicy> Record>
void describe(Visitor& visit, Record& rules) {
    visit("batches", rules.batches);
    visit("canary", rules.canary);
    visit("settle_ms", rules.settle);
    visit("soak_ms", rules.soak);
    visit("soak_min_ms", rules.soak_min);
    visit("min_available", rules.min_available);
    visit("min_healthy_time_ms", rules.min_healthy_time);
    visit("healthy_deadline_ms", rules.healthy_deadline);
    visit("progress_deadline_ms", rules.progress_deadline);
    visit("surge", rules.surge);
    visit("accept_gap", rules.accept_gap);
    visit("on_failure", rules.on_failure);
}

template <class Visitor, IsA<FleetDocument> Record>
void describe(Visitor& visit, Record& document) {
    visit("fleet", document.fleet);
    visit("account", document.account);
    visit("tunnel", document.tunnel);
    visit("rev", document.rev);
    visit("nonce", document.nonce);
    visit("writer", document.writer);
    visit("epoch", document.epoch);
    visit("lead", document.lead);
    visit("rules", document.rules);
    visit("state", document.state);
    visit("last", document.last);
    visit("deliver", document.deliver);
    visit("sealed", document.sealed);
    visit("ask", document.ask);
    visit("turns", document.turns);
    visit("turns_granted", document.turns_granted);
    visit("order", document.order);
    visit("members", document.members);
}

template <class Visitor, class Text>
requires IsA<Text, WrittenText> || IsA<Text, ReadText>
void describe(Visitor& visit, Text& text) {
    visit("format", text.format);
    describe(visit, text.document);
}

std::string encode_fleet_document(const FleetDocument& document) {
    return JsonWriter<FleetTexts>::text_of(WrittenText{fleet_format, document});
}

Result<FleetDocument> decode_fleet_document(std::string_view json) {
    Result<ReadText> text = JsonReader<FleetTexts>::record<ReadText>(json);
    if (!text) return text.error();
    if (text->format != fleet_format) {
        return Error{Fault::invalid, "unexpected content at \"format\""};
    }
    const Result<void> checked = check_names(text->document);
    if (!checked) return checked.error();
    return std::move(text->document);
}

}  // namespace keyturn
