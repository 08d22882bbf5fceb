#include "policy/reader.hpp"

#include "base/no_proxy.hpp"
#include "policy/key_paths.hpp"
#include "policy/key_table.hpp"
#include "policy/metrics_address.hpp"
#include "policy/refusals.hpp"
#include "policy/suggestion.hpp"
#include "policy/target.hpp"
#include "policy/unit_pattern.hpp"
#include "policy/value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace keyturn {
namespace {

using Kind = DocumentNode::Kind;

/// The three keys that say when a token is due.
constexpr std::array occasion_paths{every_path, calendar_path, cron_path};

class Reader {
  public:
    explicit Reader(ProblemList& problems) : problems_(problems), refusals_(problems) {}

    PolicyDraft read(const DocumentNode& document) {
        if (document.kind != Kind::map) {
            problems_.add(
                document.place,
                "a policy consists of keys such as `version: 1`, with a space after the `:`");
            return std::move(draft_);
        }
        Cursor cursor;
        cursor.cloudflare = &draft_.cloudflare;
        read_section(document, {1, 1}, {}, cursor);
        return std::move(draft_);
    }

  private:
    void read_section(const DocumentNode& map, Place place, KeyScope scope, Cursor cursor) {
        const std::vector<const KeySpec*> specs = keys_in(scope);
        for (const KeySpec* spec : specs) {
            if (const DocumentEntry* entry = map.find(spec->name())) {
                read_key(*spec, *entry, scope, cursor);
            } else if (spec->required) {
                refusals_.missing_key(*spec, place, scope, cursor);
            } else if (spec->path == cloudflare_path || spec->path == credentials_path) {
                draft_.no_credentials = spec->parent().empty() ? Place{} : place;
            }
        }
        for (const DocumentEntry& entry : map.entries) {
            if (!std::ranges::count(specs, entry.key, &KeySpec::name))
                refusals_.unknown_key(entry, scope);
        }
    }

    void read_key(const KeySpec& spec, const DocumentEntry& entry, KeyScope scope, Cursor cursor) {
        if (cursor.tunnel != nullptr) {
            // The tunnel's own value replaces the one from `defaults`, along with any problem it
            // had.
            cursor.tunnel->given.erase(spec.path);
            cursor.tunnel->broken.erase(spec.path);
        }
        const DocumentNode& value = entry.value;
        if (value.refused) {
            if (cursor.tunnel != nullptr) cursor.tunnel->broken.insert(spec.path);
            return;
        }
        if (spec.kind == KeyKind::section) {
            if (value.kind != Kind::map && value.kind != Kind::null) {
                return refusals_.wrong_type(spec, entry, cursor.tunnel);
            }
            if (spec.path == "defaults") cursor.tunnel = &draft_.defaults;
            if (spec.path == rotate_path) settle_occasion(value, *cursor.tunnel);
            if (spec.path == coordinator_path) begin_coordinator(entry, *cursor.tunnel);
            if (spec.path == proxy_path) {
                cursor.credential = &draft_.cloudflare.proxy.login;
                check_one_source(value, "the login of `proxy`");
            }
            return read_section(value, entry.key_place, scope_inside(spec, scope), cursor);
        }
        if (spec.kind == KeyKind::soak && value.kind == Kind::map) {
            return read_section(value, entry.key_place, scope_inside(spec, scope), cursor);
        }
        if (spec.kind == KeyKind::named_sections) return read_named(spec, entry);
        if (spec.kind == KeyKind::secret_source) return read_source(spec, entry, scope, cursor);
        if (spec.kind == KeyKind::store_urls) return read_store_urls(spec, entry, *cursor.tunnel);
        if (spec.kind == KeyKind::section_list) return read_list(spec, entry, scope, cursor);
        if (spec.kind == KeyKind::host_patterns) return read_hosts(spec, entry);
        if (spec.kind == KeyKind::unit_patterns) return read_units(spec, entry, *cursor.tunnel);
        if (spec.kind == KeyKind::unit_addresses)
            return read_addresses(spec, entry, *cursor.tunnel);
        read_scalar(spec, entry, cursor);
    }

    void read_named(const KeySpec& spec, const DocumentEntry& entry) {
        if (entry.value.kind != Kind::map && entry.value.kind != Kind::null) {
            return refusals_.wrong_type(spec, entry, nullptr);
        }
        if (entry.value.entries.empty()) {
            problems_.add(entry.key_place,
                          fmt::format("`{}` is empty; add at least one", spec.name()));
        }
        for (const DocumentEntry& named : entry.value.entries) {
            if (const Result<void> checked = check_own_name(named.key); !checked) {
                problems_.add(named.key_place, fmt::format("the name {}", checked.error().text));
            }
            if (named.value.refused) continue;
            if (named.value.kind != Kind::map) {
                if (spec.path != "tunnels") refusals_.hide_values(named.value);
                problems_.add(named.value.place,
                              fmt::format("{} takes nested keys, not {}", in_backticks(named.key),
                                          word_for(named.value.kind)));
                continue;
            }
            if (spec.path == "tunnels")
                read_tunnel(named);
            else
                read_credential(named);
        }
    }

    void read_credential(const DocumentEntry& entry) {
        CredentialSource& source = draft_.cloudflare.credentials[entry.key];
        draft_.credential_places[entry.key] = entry.key_place;
        read_section(entry.value, entry.key_place, {"cloudflare.credentials.NAME", false},
                     {nullptr, &source});
        if (!check_one_source(entry.value, "a credential")) {
            problems_.add(
                entry.key_place,
                fmt::format(
                    "{} does not say where the API token is; add `credential: NAME` (systemd) "
                    "or `file: /PATH`",
                    in_backticks(entry.key)));
        }
    }

    /// A coordinator that says its kind has nothing from the one under `defaults`.
    void begin_coordinator(const DocumentEntry& entry, TunnelDraft& tunnel) {
        if (entry.value.find("kind") != nullptr) tunnel.forget(coordinator_path);
        Rare<Coordinator>& coordinator = tunnel.policy.coordinator;
        if (entry.value.find("kind") != nullptr || !coordinator) coordinator.emplace();
        tunnel.given[coordinator_path] = entry.key_place;
    }

    /// One of the coordinator's secrets; replaces the one from `defaults` as a whole.
    void read_source(const KeySpec& spec, const DocumentEntry& entry, KeyScope scope,
                     Cursor cursor) {
        TunnelDraft& tunnel = *cursor.tunnel;
        tunnel.forget(spec.path);
        tunnel.given[spec.path] = entry.key_place;
        cursor.credential =
            &(*tunnel.policy.coordinator.*std::get<CredentialSource Coordinator::*>(spec.target));
        *cursor.credential = {};
        if (entry.value.kind != Kind::map) {
            refusals_.hide_values(entry.value);
            return refusals_.wrong_type(spec, entry, &tunnel);
        }
        read_section(entry.value, entry.key_place, scope_inside(spec, scope), cursor);
        if (!check_one_source(entry.value, fmt::format("`{}`", spec.name()))) {
            refusals_.wrong_value(
                spec, &tunnel, entry.key_place,
                "does not say where the secret is; add `credential: NAME` (systemd) or `file: "
                "/PATH`");
        }
    }

    /// Returns whether there is a source at all.
    bool check_one_source(const DocumentNode& section, std::string_view what) {
        const DocumentEntry* const credential = section.find("credential");
        const DocumentEntry* const file = section.find("file");
        if (credential != nullptr && file != nullptr) {
            problems_.add(
                std::max(credential->key_place, file->key_place),
                fmt::format("{} has either `credential` or `file`, not both; delete one", what));
        }
        return credential != nullptr || file != nullptr;
    }

    void read_hosts(const KeySpec& spec, const DocumentEntry& entry) {
        if (!check_list(spec, entry, nullptr)) return;
        for (const DocumentNode& item : entry.value.items) {
            if (item.refused) continue;
            const Result<void> checked = check_no_proxy(item.text);
            if (item.kind != Kind::scalar || !checked)
                refusals_.wrong_value(spec, nullptr, item.place, check_no_proxy({}).error().text);
            else
                draft_.cloudflare.proxy.no_proxy.push_back(item.text);
        }
    }

    void read_tunnel(const DocumentEntry& entry) {
        TunnelDraft tunnel = draft_.defaults;
        tunnel.policy.name = entry.key;
        tunnel.place = entry.key_place;
        read_section(entry.value, entry.key_place, {tunnel_path, false},
                     {nullptr, nullptr, &tunnel});
        draft_.tunnels.push_back(std::move(tunnel));
    }

    void read_scalar(const KeySpec& spec, const DocumentEntry& entry, Cursor cursor) {
        if (entry.value.kind != Kind::scalar)
            return refusals_.wrong_type(spec, entry, cursor.tunnel);
        Result<PolicyValue> value = read_value(spec, entry.value);
        if (!value) {
            refusals_.hide_password(spec, entry.value);
            return refusals_.wrong_value(spec, cursor.tunnel, entry.value.place,
                                         value.error().text);
        }
        if (const std::string oddity = oddity_of(spec, *value); !oddity.empty()) {
            draft_.warnings.push_back(
                {entry.value.place, fmt::format("`{}` {}", spec.name(), oddity)});
        }
        if (cursor.tunnel != nullptr) cursor.tunnel->given[spec.path] = entry.value.place;
        if (spec.kind == KeyKind::soak) {
            cursor.tunnel->policy.rollout.soak_min = std::get<Milliseconds>(*value);
        }
        store(spec, *std::move(value), cursor);
    }

    /// Refuses what is no list, and returns whether it is one.
    bool check_list(const KeySpec& spec, const DocumentEntry& entry, TunnelDraft* tunnel) {
        const DocumentNode& list = entry.value;
        if (list.kind == Kind::list) return true;
        const bool may_have_password =
            spec.kind == KeyKind::store_urls && list.text.find('@') != std::string::npos;
        if (list.kind != Kind::scalar || may_have_password) {
            refusals_.hide_password(spec, list);
            refusals_.wrong_type(spec, entry, tunnel);
        } else {
            refusals_.wrong_value(
                spec, tunnel, list.place,
                fmt::format("must be a list; write `[\"{}\"]`", quote_safe(list.text)));
        }
        return false;
    }

    void read_list(const KeySpec& spec, const DocumentEntry& entry, KeyScope scope, Cursor cursor) {
        TunnelDraft& tunnel = *cursor.tunnel;
        tunnel.given[spec.path] = entry.key_place;
        clear_list(spec, tunnel);  // It replaces the whole list from `defaults`.
        const DocumentNode& list = entry.value;
        if (list.kind != Kind::list) return refusals_.wrong_type(spec, entry, &tunnel);
        if (static_cast<std::int64_t>(list.items.size()) > spec.maximum) {
            return refusals_.wrong_value(spec, &tunnel, list.place,
                                         fmt::format("may have at most {} entries, not {}",
                                                     spec.maximum, list.items.size()));
        }
        const std::size_t broken_before = problems_.size();
        for (const DocumentNode& item : list.items) read_item(spec, item, scope, cursor);
        if (problems_.size() > broken_before) tunnel.broken.insert(spec.path);
    }

    void read_item(const KeySpec& spec, const DocumentNode& item, KeyScope scope, Cursor cursor) {
        if (item.refused) return;
        if (item.kind != Kind::map) {
            problems_.add(item.place, fmt::format("an entry of `{}` takes nested keys, not {}",
                                                  spec.name(), word_for(item.kind)));
            return;
        }
        begin_entry(spec, item.place, cursor);
        read_section(item, item.place, scope_inside(spec, scope), cursor);
    }

    /// If a tunnel says when it is rotated, that replaces all such keys from `defaults`, even other
    /// ones.
    void settle_occasion(const DocumentNode& rotate, TunnelDraft& tunnel) {
        const DocumentEntry* first = nullptr;
        for (const std::string_view path : occasion_paths) {
            const DocumentEntry* const entry = rotate.find(last_name(path));
            if (entry == nullptr) continue;
            if (first != nullptr) {
                problems_.add(
                    std::max(first->key_place, entry->key_place),
                    fmt::format("`rotate` takes either `{}` or `{}`, not both; delete one",
                                first->key, entry->key));
            }
            first = entry;
        }
        if (first == nullptr) return;
        tunnel.policy.schedule.every = Milliseconds{0};
        tunnel.policy.schedule.calendars.clear();
        for (const std::string_view path : occasion_paths) {
            tunnel.given.erase(path);
            tunnel.broken.erase(path);
        }
    }

    void read_units(const KeySpec& spec, const DocumentEntry& entry, TunnelDraft& tunnel) {
        const DocumentNode& list = entry.value;
        tunnel.given[spec.path] = list.place;
        if (!check_list(spec, entry, &tunnel)) return;
        if (list.items.empty() || list.items.size() > units_per_tunnel_max) {
            return refusals_.wrong_value(spec, &tunnel, list.place,
                                         fmt::format("must name between 1 and {} units, not {}",
                                                     units_per_tunnel_max, list.items.size()));
        }
        for (const DocumentNode& item : list.items) {
            if (item.refused) continue;
            const Result<void> checked =
                item.kind == Kind::scalar ? check_unit_pattern(item.text)
                                          : Error{Fault::invalid, "must contain unit names only"};
            if (!checked) {
                refusals_.wrong_value(spec, &tunnel, item.place, checked.error().text);
                continue;
            }
            tunnel.policy.units.push_back(item.text);
            tunnel.unit_places.push_back(item.place);
        }
    }

    void read_store_urls(const KeySpec& spec, const DocumentEntry& entry, TunnelDraft& tunnel) {
        const DocumentNode& list = entry.value;
        std::vector<std::string>& urls = tunnel.policy.coordinator->endpoints;
        urls.clear();
        tunnel.given[spec.path] = entry.key_place;
        if (!check_list(spec, entry, &tunnel)) return;
        const auto count = static_cast<std::int64_t>(list.items.size());
        if (count < 1 || count > spec.maximum) {
            return refusals_.wrong_value(
                spec, &tunnel, list.place,
                fmt::format("must have between 1 and {} URLs, not {}", spec.maximum, count));
        }
        for (const DocumentNode& item : list.items) {
            if (item.refused) continue;
            Result<PolicyValue> url = item.kind == Kind::scalar
                                          ? read_value(spec, item)
                                          : Error{Fault::invalid, "must contain URLs only"};
            if (url && std::ranges::count(urls, std::get<std::string>(*url)) > 0)
                url = Error{Fault::invalid, "has this URL twice; delete one"};
            if (!url) {
                refusals_.hide_password(spec, item);
                refusals_.wrong_value(spec, &tunnel, item.place, url.error().text);
                continue;
            }
            urls.push_back(std::get<std::string>(*std::move(url)));
        }
    }

    void read_addresses(const KeySpec& spec, const DocumentEntry& entry, TunnelDraft& tunnel) {
        tunnel.given[spec.path] = entry.key_place;
        if (entry.value.kind != Kind::map) return refusals_.wrong_type(spec, entry, &tunnel);
        for (const DocumentEntry& one : entry.value.entries) {
            if (one.value.refused) continue;
            if (const Result<void> checked = check_addressed_unit(one.key); !checked) {
                refusals_.wrong_value(spec, &tunnel, one.key_place, checked.error().text);
                continue;
            }
            const Result<std::string> address = one.value.kind == Kind::scalar
                                                    ? read_metrics_address(one.value.text)
                                                    : no_metrics_address();
            if (!address) {
                const Place place = one.value.kind == Kind::null ? one.key_place : one.value.place;
                refusals_.wrong_value(spec, &tunnel, place, address.error().text);
                continue;
            }
            tunnel.policy.metrics_addresses[one.key] = *address;
            tunnel.address_places[one.key] = one.key_place;
        }
    }

    ProblemList& problems_;
    Refusals refusals_;
    PolicyDraft draft_;
};

}  // namespace

PolicyDraft read_document(const DocumentNode& document, ProblemList& problems) {
    return Reader(problems).read(document);
}

}  // namespace keyturn
