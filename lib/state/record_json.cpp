#include "state/record_json.hpp"

#include <nlohmann/json.hpp>

#include <concepts>
#include <limits>
#include <type_traits>

namespace keyturn {
namespace {

using Json = nlohmann::ordered_json;

/// The end of the year 9999, the last that calendars and their texts can represent.
constexpr std::int64_t milliseconds_max = 253'402'300'799'999;

/// More than any count in a record, and low enough that counting on never overflows.
constexpr std::int64_t count_max = 1'000'000;
constexpr std::int64_t sequence_max = 1'000'000'000'000'000;

template <class Record, class Plain>
concept IsA = std::same_as<std::remove_const_t<Record>, Plain>;

// The members of each record, listed once for both directions: `visit` writes or reads a member.

template <class Visitor, IsA<UnitProgress> Record>
void describe(Visitor& visit, Record& unit) {
    visit("name", unit.name);
    visit("batch", unit.batch);
    visit("baseline", unit.baseline);
    visit("step", unit.step);
    visit.later("invocation_old", unit.invocation_old);
    visit("invocation_before", unit.invocation_before);
    visit("connector_before", unit.connector_before);
    visit("stop_and_start_ms", unit.stop_and_start);
    visit("connector_after", unit.connector_after);
    visit.later("invocation_after", unit.invocation_after);
    visit("verified_by", unit.verified_by);
    visit("surge", unit.surge);
    visit.later("dropped", unit.dropped);
}

template <class Visitor, IsA<Hold> Record>
void describe(Visitor& visit, Record& hold) {
    visit("reason", hold.reason);
    visit("text", hold.text);
    visit("unit", hold.unit);
    visit("since_ms", hold.since);
}

template <class Visitor, IsA<RotationRecord> Record>
void describe(Visitor& visit, Record& rotation) {
    visit("rotation_id", rotation.rotation_id);
    visit("trigger", rotation.request.trigger);
    visit("phase", rotation.phase);
    visit("started_ms", rotation.started);
    visit("committed_ms", rotation.committed);
    visit("old_fingerprint", rotation.old_fingerprint);
    visit("new_fingerprint", rotation.new_fingerprint);
    visit("accept_gap", rotation.request.accept_gap);
    visit("scheduled", rotation.request.scheduled);
    visit.flag("takes_over", RotationKind::takeover, rotation.request.kind);
    visit("adopted", rotation.foreign);
    visit("reverting", rotation.reverting);
    visit.flag("compromised", RotationKind::compromise, rotation.request.kind);
    visit.later_flag("adopts", RotationKind::adopt, rotation.request.kind);
    visit.later_flag("releases", RotationKind::release, rotation.request.kind);
    visit.later("moved_units", rotation.request.units);
    visit("evict_all", rotation.request.evict_all);
    visit("evicted", rotation.evicted);
    visit("superseded", rotation.superseded);
    visit("adoptions", rotation.take_overs);
    visit("proven", rotation.proven);
    visit("refusal", rotation.refusal);
    visit("batch", rotation.batch);
    visit("units", rotation.units);
    visit("connectors_before", rotation.connectors_before);
    visit("hold", rotation.hold);
}

template <class Visitor, IsA<HistoryEntry> Record>
void describe(Visitor& visit, Record& entry) {
    visit("rotation_id", entry.rotation_id);
    visit("trigger", entry.trigger);
    visit("outcome", entry.outcome);
    visit("text", entry.text);
    visit("started_ms", entry.started);
    visit("ended_ms", entry.ended);
    visit("old_fingerprint", entry.old_fingerprint);
    visit("new_fingerprint", entry.new_fingerprint);
    visit("units", entry.units);
}

template <class Visitor, IsA<UnitStart> Record>
void describe(Visitor& visit, Record& start) {
    visit("unit", start.unit);
    visit("invocation", start.invocation);
    visit("fingerprint", start.fingerprint);
    visit("certain", start.certain);
}

template <class Visitor, IsA<StateDocument> Record>
void describe(Visitor& visit, Record& document) {
    visit("tunnel_name", document.tunnel_name);
    visit("sequence", document.sequence);
    visit("first_seen_ms", document.state.first_seen);
    visit("last_done_ms", document.state.last_done);
    visit("rotation", document.state.rotation);
    visit("paused_ms", document.state.paused);
    visit("retired", document.state.retired);
    visit.later("delivered", document.state.delivered);
    visit.later("starts", document.state.starts);
}

class Writer {
  public:
    template <class Value>
    void operator()(const char* key, const Value& value) {
        json_[key] = to_json(value);
    }

    template <class Value>
    void later(const char* key, const Value& value) {
        (*this)(key, value);
    }

    /// One value of an enumeration as a member of its own.
    template <class Value>
    void flag(const char* key, Value when, const Value& value) {
        (*this)(key, value == when);
    }

    template <class Value>
    void later_flag(const char* key, Value when, const Value& value) {
        flag(key, when, value);
    }

    template <class Record>
    static Json to_json(const Record& record) {
        Writer writer;
        describe(writer, record);
        return std::move(writer.json_);
    }

  private:
    static Json to_json(const std::string& value) { return value; }
    static Json to_json(int value) { return value; }
    static Json to_json(std::int64_t value) { return value; }
    static Json to_json(bool value) { return value; }
    static Json to_json(Milliseconds value) { return value.count(); }
    static Json to_json(WallTime value) { return value.time_since_epoch().count(); }
    template <Named Value>
    static Json to_json(const Value& value) {
        return name_of(value);
    }

    template <class Value>
    static Json to_json(const std::optional<Value>& value) {
        return value ? to_json(*value) : Json(nullptr);
    }
    template <class Value>
    static Json to_json(const std::vector<Value>& values) {
        Json array = Json::array();
        for (const Value& value : values) array.push_back(to_json(value));
        return array;
    }

    Json json_ = Json::object();
};

/// Reads into a record and remembers the first member that is not as expected.
class Reader {
  public:
    explicit Reader(const Json& json) : json_(json) {}

    template <class Value>
    void operator()(const char* key, Value& value) {
        ++members_;
        if (!wrong_.empty()) return;
        const auto found = json_.find(key);
        if (found == json_.end() || !from_json(*found, value)) wrong_ = key;
    }

    /// Reads a member that files of earlier versions lack.
    template <class Value>
    void later(const char* key, Value& value) {
        if (json_.contains(key)) (*this)(key, value);
    }

    /// Only one of an enumeration's members may be true; where none is, it has its first value.
    template <class Value>
    void flag(const char* key, Value when, Value& value) {
        bool set = false;
        (*this)(key, set);
        if (!set || !wrong_.empty()) return;
        if (value != Value{}) wrong_ = key;
        value = when;
    }

    template <class Value>
    void later_flag(const char* key, Value when, Value& value) {
        if (json_.contains(key)) flag(key, when, value);
    }

    template <class Record>
    static Result<Record> record(std::string_view text) {
        const Json json = Json::parse(text, nullptr, false);
        if (!json.is_object()) return Error{Fault::invalid, "it is not a JSON object"};
        Record record;
        const std::string wrong = read(json, record);
        if (wrong.empty()) return record;
        return Error{Fault::invalid, "unexpected content at \"" + wrong + "\""};
    }

  private:
    template <class Record>
    static std::string read(const Json& json, Record& record) {
        if (!json.is_object()) return "(not an object)";
        Reader reader(json);
        describe(reader, record);
        if (reader.wrong_.empty() && json.size() != reader.members_) return "(an unknown member)";
        return reader.wrong_;
    }

    template <class Record>
    static bool from_json(const Json& json, Record& record) {
        return read(json, record).empty();
    }
    static bool from_json(const Json& json, UnitProgress& unit) {
        if (!read(json, unit).empty()) return false;
        const bool earlier = !json.contains("invocation_old");
        if (earlier && unit.step == UnitStep::waiting) {
            unit.invocation_old = std::exchange(unit.invocation_before, std::string());
        }
        return true;
    }
    static bool from_json(const Json& json, std::string& value) {
        if (!json.is_string()) return false;
        value = json.get_ref<const std::string&>();
        return true;
    }
    static bool from_json(const Json& json, std::int64_t& value) {
        if (!json.is_number_integer()) return false;
        constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
        if (json.is_number_unsigned() && json.get<std::uint64_t>() > most) return false;
        value = json.get<std::int64_t>();
        return true;
    }
    static bool from_json(const Json& json, int& value) {
        std::int64_t wide = 0;
        if (!from_json(json, wide) || wide < 0 || wide > count_max) return false;
        value = static_cast<int>(wide);
        return true;
    }
    static bool from_json(const Json& json, bool& value) {
        if (!json.is_boolean()) return false;
        value = json.get<bool>();
        return true;
    }
    static bool from_json(const Json& json, Milliseconds& value) {
        std::int64_t count = 0;
        if (!from_json(json, count)) return false;
        value = Milliseconds(count);
        return count >= -milliseconds_max && count <= milliseconds_max;
    }
    static bool from_json(const Json& json, WallTime& value) {
        Milliseconds since_epoch{0};
        if (!from_json(json, since_epoch)) return false;
        value = WallTime(since_epoch);
        return true;
    }
    template <Named Value>
    static bool from_json(const Json& json, Value& value) {
        const auto found = json.is_string() ? value_named<Value>(json.get_ref<const std::string&>())
                                            : std::optional<Value>();
        value = found.value_or(value);
        return found.has_value();
    }
    template <class Value>
    static bool from_json(const Json& json, std::optional<Value>& value) {
        value.reset();
        return json.is_null() || from_json(json, value.emplace());
    }
    template <class Value>
    static bool from_json(const Json& json, std::vector<Value>& values) {
        if (!json.is_array()) return false;
        values.clear();
        for (const Json& element : json) {
            if (!from_json(element, values.emplace_back())) return false;
        }
        return true;
    }

    const Json& json_;
    std::size_t members_ = 0;
    std::string wrong_;
};

/// Replaces invalid UTF-8 instead of throwing, because texts also come from units and callers.
std::string dump(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string encode_document(const StateDocument& document) {
    return dump(Writer::to_json(document));
}

std::string encode_history_entry(const HistoryEntry& entry) {
    return dump(Writer::to_json(entry));
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
