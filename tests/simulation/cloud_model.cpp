#include "simulation/cloud_model.hpp"

namespace keyturn::simulation {

namespace {

using std::chrono::seconds;

/// Longer than the two minutes after which a rotation gives up on a secret that does not appear.
constexpr Milliseconds stale_max = seconds{150};

}  // namespace

void CloudModel::set_by_stranger(SecretId secret, BootTime now) {
    set(secret, now);
    set_by_us_ = false;
}

void CloudModel::set(SecretId secret, BootTime now) {
    late_.reset();
    set_by_us_ = true;
    if (secret == current_) return;
    before_ = current_;
    current_ = secret;
    if (chance_.strikes(FaultKind::stale_read)) {
        stale_until_ = now + chance_.dice().between(seconds{1}, stale_max);
    }
    if (chance_.strikes(FaultKind::edge_lag)) {
        edge_lags_until_ = now + chance_.dice().between(seconds{1}, edge_lag_max);
    }
}

void CloudModel::set_later(SecretId secret, BootTime when) {
    late_ = Late{secret, when};
}

void CloudModel::evict_foreign(const std::string& connector, BootTime now) {
    std::erase_if(foreign_, [&](const Foreign& foreign) {
        const bool meant = connector.empty() || foreign.connector == connector;
        return meant && !accepts(foreign.token, now);
    });
}

void CloudModel::advance(BootTime now) {
    if (!late_ || late_->when > now) return;
    const Late late = *late_;
    set(late.secret, late.when);
}

}  // namespace keyturn::simulation
