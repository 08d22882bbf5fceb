#include "fleet/document_text.hpp"

#include "base/ascii.hpp"
#include "base/secret.hpp"
#include "fleet/document_json.hpp"
#include "shared_object/shared_object.hpp"

#include <fmt/format.h>

#include <optional>
#include <vector>

namespace keyturn {
namespace {

constexpr std::string_view word = "keyturn-fleet";
constexpr std::string_view before_format = "{\"format\":";
constexpr std::size_t format_digits_max = 6;

/// The two lines of the text. In every format the first one looks like this, and the second one
/// begins with its format, so that a newer format can be told from a forged text.
struct Lines {
    std::string_view format;
    std::string_view key_id;
    std::string_view mac;
    std::string_view json;
};

Error invalid(std::string_view why) {
    return Error{Fault::invalid, fmt::format("the shared object {}", why)};
}

std::optional<Lines> take_apart(std::string_view text) {
    const std::size_t first_end = text.find('\n');
    if (first_end == std::string_view::npos || !text.ends_with('\n')) return std::nullopt;
    const std::vector<std::string_view> words = split(text.substr(0, first_end), " ");
    text.remove_prefix(first_end + 1);
    if (words.size() != 4 || words[0] != word || text.empty()) return std::nullopt;
    text.remove_suffix(1);
    return Lines{words[1], words[2], words[3], text};
}

Result<void> check_mac(const Lines& lines, const FleetKeys& keys, std::string_view tunnel) {
    const std::optional<std::string> mac = keys.mac(lines.key_id, tunnel, lines.json);
    if (!mac) {
        return Error{Fault::denied,
                     "the shared object was written with a fleet key that this host does not have; "
                     "copy the file of fleet keys from a host that has it"};
    }
    if (same_secret(Secret::copy_of(*mac), Secret::copy_of(lines.mac))) return {};
    return Error{Fault::denied,
                 "the shared object was not written with the fleet key: somebody without the key "
                 "changed it, it belongs to another tunnel, or this host has another key under the "
                 "same id; compare the files of fleet keys of all hosts"};
}

/// The format is under the MAC in the second line. The first line only repeats it.
Result<void> check_format(const Lines& lines) {
    std::string_view rest = lines.json;
    if (!rest.starts_with(before_format)) return invalid("does not say which format it has");
    rest.remove_prefix(before_format.size());
    const std::string_view digits = rest.substr(0, rest.find(','));
    const auto format = to_number<int>(digits);
    const bool sound = format.value_or(0) > 0 && digits.size() <= format_digits_max;
    if (!sound || digits != lines.format) return invalid("does not say which format it has");
    if (*format <= fleet_format) return {};
    return Error{Fault::missing,
                 fmt::format("the shared object has format {}, which a newer keyturn wrote, and "
                             "this one reads format {} only; install the newer version on this "
                             "host",
                             *format, fleet_format)};
}

Result<void> check_place(const FleetDocument& document, const ExpectedFleet& expected) {
    if (document.tunnel != lower(expected.tunnel)) return invalid("belongs to another tunnel");
    if (expected.fleet.empty() || document.fleet == expected.fleet) return {};
    return invalid("belongs to another fleet than the one that this host joined");
}

}  // namespace

Result<std::string> write_fleet_text(const FleetDocument& document, const FleetKeys& keys) {
    const std::vector<std::string> ids = keys.ids();
    if (ids.empty()) return Error{Fault::invalid, "there is no fleet key"};
    const std::string json = encode_fleet_document(document);
    const Result<FleetDocument> back = decode_fleet_document(json);
    if (!back) return with_context("cannot write the shared object", back.error());
    const std::optional<std::string> mac = keys.mac(ids.front(), document.tunnel, json);
    std::string text =
        fmt::format("{} {} {} {}\n{}\n", word, fleet_format, ids.front(), mac.value_or(""), json);
    if (text.size() < object_bytes_max) return text;
    return Error{Fault::invalid,
                 fmt::format("cannot write the shared object: it would have {} bytes, and keyturn "
                             "allows less than {}; a fleet of fewer units fits",
                             text.size(), object_bytes_max)};
}

Result<FleetDocument> read_fleet_text(std::string_view text, const FleetKeys& keys,
                                      const ExpectedFleet& expected) {
    if (text.size() >= object_bytes_max) return invalid("is too large for one of keyturn");
    const std::optional<Lines> lines = take_apart(text);
    if (!lines) return invalid("was not written by keyturn, or is cut off");
    const Result<void> genuine = check_mac(*lines, keys, expected.tunnel);
    if (!genuine) return genuine.error();
    const Result<void> known = check_format(*lines);
    if (!known) return known.error();
    Result<FleetDocument> document = decode_fleet_document(lines->json);
    if (!document) return with_context("the shared object", document.error());
    const Result<void> placed = check_place(*document, expected);
    if (!placed) return placed.error();
    return document;
}

}  // namespace keyturn
