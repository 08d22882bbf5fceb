// The object that the hosts of one tunnel share. An input that begins with "{" is given a true MAC,
// as if a host with the fleet key had written it; any other is the whole text.
#include "fleet/document_text.hpp"
#include "fuzz/input.hpp"
#include "token/token.hpp"

#include <fmt/format.h>

using namespace keyturn;

namespace {

constexpr std::string_view tunnel = "f70ff985-a4ef-4643-bbbc-4a0ed4fc8415";

const FleetKeys& keys() {
    static const Result<FleetKeys> keys =
        FleetKeys::read("k1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    return *keys;
}

std::string text_of(std::string_view input) {
    if (!input.starts_with('{')) return std::string{input};
    const std::string mac = *keys().mac("k1", tunnel, input);
    const bool newer = input.starts_with("{\"format\":2,");
    return fmt::format("keyturn-fleet {} k1 {}\n{}\n", newer ? 2 : 1, mac, input);
}

void check_refusal(const Error& error) {
    invariant(error.fault == Fault::denied || error.fault == Fault::missing ||
                  error.fault == Fault::invalid,
              "waiting does not make a text readable");
    invariant(fuzz::is_one_line(error.text), "an error is one line");
    invariant(!fuzz::tells_secret(error.text), "a refusal tells no secret");
}

/// Everything that one host says is shown on the others.
void check_names(const FleetDocument& document) {
    invariant(document.tunnel == tunnel, "a document belongs to its tunnel");
    for (const auto& [host, member] : document.members) {
        invariant(fuzz::is_printable_ascii(host), "a host has a plain name");
        invariant(fuzz::is_one_line(member.problem), "a problem is one line");
        invariant(fuzz::is_one_line(member.lacks), "a reason is one line");
        for (const MemberUnit& unit : member.units) {
            const auto name = split_fleet_unit(fleet_unit(host, unit.name()));
            invariant(name && name->host == host && name->unit == unit.name(),
                      "a unit has one name in the fleet");
        }
    }
}

void check_seal(const FleetDocument& document) {
    const Result<PendingTokens> tokens = keys().unseal(document);
    if (!tokens) return check_refusal(tokens.error());
    const Result<TunnelToken> token = decode_token(tokens->new_token.reveal());
    invariant(token && token->tunnel == tunnel, "a sealed token is of the tunnel");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string text = text_of(fuzz::with_secrets(fuzz::text_of(data, size)));
    const ExpectedFleet expected{tunnel};
    const Result<FleetDocument> document = read_fleet_text(text, keys(), expected);
    if (!document) {
        check_refusal(document.error());
        return 0;
    }
    check_names(*document);
    check_seal(*document);
    const Result<std::string> written = write_fleet_text(*document, keys());
    invariant(written.has_value(), "what was read can be written");
    const Result<FleetDocument> again = read_fleet_text(*written, keys(), expected);
    invariant(again && *again == *document, "a document is read as it is written");
    text[size % text.size()] ^= 1;
    invariant(!read_fleet_text(text, keys(), expected), "a flipped bit is refused");
    return 0;
}
