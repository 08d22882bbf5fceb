#pragma once

#include "state/envelope.hpp"
#include "state/json_members.hpp"
#include "state/tunnel_files.hpp"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>

namespace keyturn {

/// The content of a file. With its tunnel, so that no file can take the place of another.
template <class Record>
struct RecordOfTunnel {
    std::string tunnel;
    Record record;
};

template <class Visitor, class Record>
void describe(Visitor& visit, RecordOfTunnel<Record>& file) {
    visit("tunnel", file.tunnel);
    describe(visit, file.record);
}

template <class Visitor, class Record>
void describe(Visitor& visit, const RecordOfTunnel<Record>& file) {
    visit("tunnel", file.tunnel);
    describe(visit, file.record);
}

/// Records of tunnels in `TunnelFiles`, each with a checksum. A record that cannot be trusted is an
/// error `invalid`, and is never replaced by a fresh one on its own. Internal to the folders that
/// write records, like json_members.hpp.
template <class Record>
class TunnelRecords {
  public:
    /// `untrusted`: what it means for a person if a record cannot be trusted, with "{}" for why.
    TunnelRecords(TunnelFiles files, int schema, std::string untrusted)
        : files_(std::move(files)), schema_(schema), untrusted_(std::move(untrusted)) {}

    /// Nothing if there is no record of this tunnel.
    [[nodiscard]] Result<std::optional<Record>> load(const std::string& tunnel) const {
        const Result<std::optional<std::string>> text = files_.load(tunnel);
        if (!text) return text.error();
        if (!*text) return std::optional<Record>();
        const Envelope envelope = open_envelope(**text);
        if (!envelope.damage.empty()) return distrust(tunnel, envelope.damage);
        if (envelope.schema > schema_) {
            return distrust(tunnel,
                            "a newer version of keyturn wrote it; install that version "
                            "again");
        }
        auto file = JsonReader<AnyText>::record<RecordOfTunnel<Record>>(envelope.json);
        if (!file) return distrust(tunnel, file.error().text);
        if (file->tunnel != tunnel) return distrust(tunnel, "it is of another tunnel");
        return std::optional<Record>(std::move(file->record));
    }

    [[nodiscard]] Result<void> save(const std::string& tunnel, const Record& record) const {
        const RecordOfTunnel<Record> file{tunnel, record};
        return files_.save(tunnel, in_envelope(schema_, JsonWriter<AnyText>::text_of(file)));
    }

    /// The error for a record of this tunnel that cannot be trusted.
    [[nodiscard]] Error distrust(const std::string& tunnel, const std::string& why) const {
        const Error error{Fault::invalid, fmt::format(fmt::runtime(untrusted_), why), {}};
        return with_context(files_.path_of(tunnel), error);
    }

  private:
    TunnelFiles files_;
    int schema_;
    std::string untrusted_;
};

}  // namespace keyturn
