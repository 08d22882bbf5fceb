#include "rotation/attached.hpp"

#include "base/invariant.hpp"
#include "rotation/preflight.hpp"

#include <algorithm>
#include <limits>
#include <set>

namespace keyturn {

namespace {

/// An id of one of our connectors, and how many connections it may have.
struct OwnId {
    std::string id;
    int connections_max;
    bool told_now;  ///< False if it was reported earlier, by the process that still runs.
};

struct Own {
    std::vector<OwnId> ids;
    std::vector<std::string> unsure_ids;  ///< Ours, if the process is still the same.
    bool all_told = true;                 ///< Every unit has reported its own id.
    std::set<std::string> addresses;
};

const ProvenConnector* proven_of(const std::vector<ProvenConnector>& proven,
                                 const std::string& unit) {
    const auto found = std::ranges::find(proven, unit, &ProvenConnector::unit);
    return found == proven.end() ? nullptr : &*found;
}

/// The list may be slightly older than the sample, so as many connections as before the rotation
/// are still plausible. But a connector that has lost all of them has none.
int connections_max(const UnitProgress& unit, const Readiness& ready) {
    return ready.connections == 0 ? 0 : std::max(ready.connections, unit.baseline);
}

void take_in(Own& own, const UnitProgress& unit, const SampleUnits::Sample* sample,
             const ProvenConnector* proven) {
    constexpr int any_number = std::numeric_limits<int>::max();
    if (sample != nullptr && sample->state.up() && sample->readiness) {
        own.ids.push_back(
            {sample->readiness->connector_id, connections_max(unit, *sample->readiness), true});
        return;
    }
    if (sample != nullptr && tells_its_connector(*sample)) return;  // It has no connector.
    const bool same_process = sample != nullptr && proven != nullptr && sample->state.up() &&
                              sample->state.invocation == proven->invocation;
    if (same_process) {
        own.ids.push_back({proven->id, unit.baseline > 0 ? unit.baseline : any_number, false});
        return;
    }
    own.all_told = false;
    if (proven != nullptr) own.unsure_ids.push_back(proven->id);
}

const OwnId* own_id(const Own& own, const Connector& connector) {
    const auto found = std::ranges::find(own.ids, connector.id, &OwnId::id);
    return found == own.ids.end() ? nullptr : &*found;
}

bool comes_from_elsewhere(const Own& own, const Connector& connector) {
    return !own.addresses.empty() && !connector.origin_ip.empty() &&
           !own.addresses.contains(connector.origin_ip);
}

/// The addresses of connectors that are reported as ours now; otherwise the last known ones.
void take_in_addresses(Own& own, const std::vector<Connector>& listed,
                       const std::vector<ProvenConnector>& proven) {
    for (const Connector& connector : listed) {
        const OwnId* mine = own_id(own, connector);
        const bool plausible =
            mine != nullptr && mine->told_now && connector.connections <= mine->connections_max;
        if (plausible && !connector.origin_ip.empty()) own.addresses.insert(connector.origin_ip);
    }
    if (!own.addresses.empty()) return;
    for (const ProvenConnector& one : proven) {
        if (!one.origin_ip.empty()) own.addresses.insert(one.origin_ip);
    }
}

}  // namespace

Attached sort_connectors(const std::vector<Connector>& listed,
                         const std::vector<UnitProgress>& units,
                         const std::optional<SampleUnits::Value>& samples,
                         const std::vector<ProvenConnector>& proven) {
    invariant(!samples || samples->size() == units.size(), "every unit must be sampled");
    Own own;
    own.all_told = samples.has_value();
    for (std::size_t i = 0; i < units.size(); ++i) {
        take_in(own, units[i], samples ? &(*samples)[i] : nullptr,
                proven_of(proven, units[i].name));
    }
    if (units.empty()) {
        for (const ProvenConnector& one : proven) own.unsure_ids.push_back(one.id);
    }
    take_in_addresses(own, listed, proven);
    Attached attached;
    for (const Connector& connector : listed) {
        const OwnId* mine = own_id(own, connector);
        const bool elsewhere = comes_from_elsewhere(own, connector);
        if (mine != nullptr) {
            const bool plausible = connector.connections <= mine->connections_max && !elsewhere;
            (plausible ? attached.ours : attached.doubtful).push_back(connector);
            continue;
        }
        const bool unsure = std::ranges::find(own.unsure_ids, connector.id) != own.unsure_ids.end();
        const bool stranger = !unsure && (own.all_told || elsewhere);
        (stranger ? attached.strangers : attached.doubtful).push_back(connector);
    }
    return attached;
}

bool lists(const std::vector<Connector>& connectors, const std::string& id) {
    return std::ranges::find(connectors, id, &Connector::id) != connectors.end();
}

void note_proven(std::vector<ProvenConnector>& proven, const SampleUnits::Value& samples) {
    for (const SampleUnits::Sample& sample : samples) {
        const bool tells = sample.state.up() && sample.readiness &&
                           !sample.readiness->connector_id.empty() &&
                           !sample.state.invocation.empty();
        if (!tells) continue;
        const std::string& id = sample.readiness->connector_id;
        const auto known = std::ranges::find(proven, sample.state.name, &ProvenConnector::unit);
        if (known == proven.end()) {
            proven.push_back({sample.state.name, sample.state.invocation, id, ""});
            continue;
        }
        if (known->id == id && known->invocation == sample.state.invocation) continue;
        // Keep the known address: the address of a host seldom changes.
        *known = {known->unit, sample.state.invocation, id, known->origin_ip};
    }
}

void note_origins(std::vector<ProvenConnector>& proven, const std::vector<Connector>& ours) {
    for (ProvenConnector& one : proven) {
        const auto listed = std::ranges::find(ours, one.id, &Connector::id);
        if (listed != ours.end() && !listed->origin_ip.empty()) one.origin_ip = listed->origin_ip;
    }
}

std::vector<std::string> units_absent_from(const RotationRecord& record,
                                           const std::vector<Connector>& connectors) {
    std::vector<std::string> absent;
    for (const UnitProgress& unit : record.units) {
        const bool expected = unit.step == UnitStep::verified && !unit.connector_after.empty();
        if (expected && !lists(connectors, unit.connector_after)) absent.push_back(unit.name);
    }
    return absent;
}

std::vector<std::string> stragglers_in(const RotationRecord& record,
                                       const std::vector<Connector>& connectors) {
    std::vector<std::string> stragglers;
    for (const std::string& id : record.connectors_before) {
        if (lists(connectors, id)) stragglers.push_back(id);
    }
    return stragglers;
}

}  // namespace keyturn
