#pragma once

#include "base/names.hpp"
#include "base/result.hpp"
#include "time/moment.hpp"

#include <nlohmann/json.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace keyturn {

// Records as JSON. A function `describe(visit, record)` lists the members of a record once for both
// directions: JsonWriter writes each one, JsonReader reads it. Internal to the folders that write
// records: it brings the JSON library with it.

using RecordJson = nlohmann::ordered_json;

/// True for a record and for a constant one: `describe` gets both.
template <class Record, class Plain>
concept IsA = std::same_as<std::remove_const_t<Record>, Plain>;

/// Which texts a record may contain: any that JSON can express.
struct AnyText {
    [[nodiscard]] static const std::string& written(const std::string& text) { return text; }
    [[nodiscard]] static bool accepts(const std::string&) { return true; }
};

/// `Texts::written` makes each text fit to be read again.
template <class Texts>
class JsonWriter {
  public:
    template <class Value>
    void operator()(const char* key, const Value& value) {
        json_[key] = to_json(value);
    }

    template <class Value>
    void later(const char* key, const Value& value) {
        (*this)(key, value);
    }

    /// A member that is left out while it has its usual value.
    template <class Value>
    void rare(const char* key, const Value& value, const std::type_identity_t<Value>& usual = {}) {
        if (!(value == usual)) (*this)(key, value);
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

    /// A text that `Texts` does not apply to.
    void unchecked(const char* key, const std::string& value) { json_[key] = value; }

    /// One line. Replaces invalid UTF-8 instead of throwing, because texts also come from units and
    /// callers.
    template <class Record>
    [[nodiscard]] static std::string text_of(const Record& record) {
        return to_json(record).dump(-1, ' ', false, RecordJson::error_handler_t::replace);
    }

  private:
    template <class Record>
    static RecordJson to_json(const Record& record) {
        JsonWriter writer;
        describe(writer, record);
        return std::move(writer.json_);
    }
    static RecordJson to_json(const std::string& value) { return Texts::written(value); }
    static RecordJson to_json(bool value) { return value; }
    static RecordJson to_json(int value) { return value; }
    static RecordJson to_json(std::int64_t value) { return value; }
    static RecordJson to_json(std::uint32_t value) { return value; }
    static RecordJson to_json(std::uint64_t value) { return value; }
    static RecordJson to_json(Milliseconds value) { return value.count(); }
    static RecordJson to_json(WallTime value) { return value.time_since_epoch().count(); }
    template <Named Value>
    static RecordJson to_json(const Value& value) {
        return name_of(value);
    }

    template <class Value>
    static RecordJson to_json(const std::optional<Value>& value) {
        return value ? to_json(*value) : RecordJson(nullptr);
    }
    template <class Value>
    static RecordJson to_json(const std::vector<Value>& values) {
        RecordJson array = RecordJson::array();
        for (const Value& value : values) array.push_back(to_json(value));
        return array;
    }
    template <class Value>
    static RecordJson to_json(const std::map<std::string, Value>& values) {
        RecordJson object = RecordJson::object();
        for (const auto& [key, value] : values) object[Texts::written(key)] = to_json(value);
        return object;
    }

    RecordJson json_ = RecordJson::object();
};

/// Reads into a record and remembers the first member that is not as expected. Strict: every member
/// that the writer writes must be there with its type, and no others.
template <class Texts>
class JsonReader {
  public:
    template <class Value>
    void operator()(const char* key, Value& value) {
        const RecordJson* const found = member(key);
        if (found != nullptr && !from_json(*found, value)) wrong_ = key;
    }

    /// Reads a member that texts of earlier versions lack.
    template <class Value>
    void later(const char* key, Value& value) {
        if (!lacks(key)) (*this)(key, value);
    }
    [[nodiscard]] bool lacks(const char* key) const { return !json_.contains(key); }

    template <class Value>
    void rare(const char* key, Value& value, const std::type_identity_t<Value>& usual = {}) {
        if (lacks(key))
            value = usual;
        else
            (*this)(key, value);
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
        if (!lacks(key)) flag(key, when, value);
    }

    void unchecked(const char* key, std::string& value) {
        const RecordJson* const found = member(key);
        if (found != nullptr && !from_text(*found, value)) wrong_ = key;
    }

    template <class Record>
    [[nodiscard]] static Result<Record> record(std::string_view text) {
        const RecordJson json = RecordJson::parse(text, nullptr, false);
        if (!json.is_object()) return Error{Fault::invalid, "it is not a JSON object"};
        Record record;
        const std::string wrong = read(json, record);
        if (wrong.empty()) return record;
        return Error{Fault::invalid, "unexpected content at \"" + wrong + "\""};
    }

  private:
    /// The end of the year 9999, the last that calendars and their texts can represent.
    static constexpr std::int64_t milliseconds_max = 253'402'300'799'999;

    /// More than any count in a record, and low enough that counting on never overflows.
    static constexpr std::int64_t count_max = 1'000'000;

    explicit JsonReader(const RecordJson& json) : json_(json) {}

    /// Counts the member; null if it is missing, or a member before it was wrong.
    const RecordJson* member(const char* key) {
        ++members_;
        if (!wrong_.empty()) return nullptr;
        const auto found = json_.find(key);
        if (found != json_.end()) return &*found;
        wrong_ = key;
        return nullptr;
    }

    template <class Record>
    static std::string read(const RecordJson& json, Record& record) {
        if (!json.is_object()) return "(not an object)";
        JsonReader reader(json);
        describe(reader, record);
        if (reader.wrong_.empty() && json.size() != reader.members_) return "(an unknown member)";
        return reader.wrong_;
    }

    template <class Record>
    static bool from_json(const RecordJson& json, Record& record) {
        return read(json, record).empty();
    }
    static bool from_text(const RecordJson& json, std::string& value) {
        if (!json.is_string()) return false;
        value = json.get_ref<const std::string&>();
        return true;
    }
    static bool from_json(const RecordJson& json, std::string& value) {
        return from_text(json, value) && Texts::accepts(value);
    }
    static bool from_json(const RecordJson& json, std::int64_t& value) {
        if (!json.is_number_integer()) return false;
        constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
        if (json.is_number_unsigned() && json.get<std::uint64_t>() > most) return false;
        value = json.get<std::int64_t>();
        return true;
    }
    static bool from_json(const RecordJson& json, std::uint64_t& value) {
        if (!json.is_number_unsigned()) return false;
        value = json.get<std::uint64_t>();
        return true;
    }
    static bool from_json(const RecordJson& json, std::uint32_t& value) {
        std::uint64_t wide = 0;
        if (!from_json(json, wide) || wide > std::numeric_limits<std::uint32_t>::max())
            return false;
        value = static_cast<std::uint32_t>(wide);
        return true;
    }
    static bool from_json(const RecordJson& json, int& value) {
        std::int64_t wide = 0;
        if (!from_json(json, wide) || wide < 0 || wide > count_max) return false;
        value = static_cast<int>(wide);
        return true;
    }
    static bool from_json(const RecordJson& json, bool& value) {
        if (!json.is_boolean()) return false;
        value = json.get<bool>();
        return true;
    }
    static bool from_json(const RecordJson& json, Milliseconds& value) {
        std::int64_t count = 0;
        if (!from_json(json, count)) return false;
        value = Milliseconds(count);
        return count >= -milliseconds_max && count <= milliseconds_max;
    }
    static bool from_json(const RecordJson& json, WallTime& value) {
        Milliseconds since_epoch{0};
        if (!from_json(json, since_epoch)) return false;
        value = WallTime(since_epoch);
        return true;
    }
    template <Named Value>
    static bool from_json(const RecordJson& json, Value& value) {
        const auto found = json.is_string() ? value_named<Value>(json.get_ref<const std::string&>())
                                            : std::optional<Value>();
        value = found.value_or(value);
        return found.has_value();
    }
    template <class Value>
    static bool from_json(const RecordJson& json, std::optional<Value>& value) {
        value.reset();
        return json.is_null() || from_json(json, value.emplace());
    }
    template <class Value>
    static bool from_json(const RecordJson& json, std::vector<Value>& values) {
        if (!json.is_array()) return false;
        values.clear();
        for (const RecordJson& element : json) {
            if (!from_json(element, values.emplace_back())) return false;
        }
        return true;
    }
    template <class Value>
    static bool from_json(const RecordJson& json, std::map<std::string, Value>& values) {
        if (!json.is_object()) return false;
        values.clear();
        for (const auto& [key, element] : json.items()) {
            if (!Texts::accepts(key) || !from_json(element, values[key])) return false;
        }
        return true;
    }

    const RecordJson& json_;
    std::size_t members_ = 0;
    std::string wrong_;
};

}  // namespace keyturn
