#include "delivery/pending.hpp"

#include "token/digest.hpp"
#include "token/flat_json.hpp"

namespace keyturn {
namespace {

constexpr std::string_view schema = "1";

std::string checksum_of(std::string_view rotation_id, std::string_view new_token,
                        std::string_view old_token) {
    // None of the three can contain a line feed, so no two triples have the same bytes.
    return sha256_hex({rotation_id, "\n", new_token, "\n", old_token});
}

Error invalid(const char* why) {
    return Error{Fault::invalid, why};
}

}  // namespace

Secret encode_pending(const PendingTokens& tokens) {
    const std::string_view new_token = tokens.new_token.reveal();
    const std::string_view old_token = tokens.old_token.reveal();
    const std::string checksum = checksum_of(tokens.rotation_id, new_token, old_token);
    return write_flat_json({{"schema", schema},
                            {"rotation_id", tokens.rotation_id},
                            {"sha256", checksum},
                            {"new_token", new_token},
                            {"old_token", old_token}});
}

Result<PendingTokens> decode_pending(std::string_view text) {
    const Result<FlatJson> json = FlatJson::read(text);
    if (!json) return invalid("it is damaged");
    const Secret* written_schema = json->find("schema");
    if (written_schema == nullptr) return invalid("it is damaged");
    if (written_schema->reveal() != schema) return invalid("another version of keyturn wrote it");
    const Secret* rotation_id = json->find("rotation_id");
    const Secret* checksum = json->find("sha256");
    const Secret* new_token = json->find("new_token");
    const Secret* old_token = json->find("old_token");
    if (rotation_id == nullptr || checksum == nullptr || new_token == nullptr ||
        old_token == nullptr) {
        return invalid("it is damaged");
    }
    if (checksum->reveal() !=
        checksum_of(rotation_id->reveal(), new_token->reveal(), old_token->reveal())) {
        return invalid("it is damaged (the checksum does not match)");
    }
    return PendingTokens{std::string(rotation_id->reveal()), new_token->clone(),
                         old_token->clone()};
}

}  // namespace keyturn
