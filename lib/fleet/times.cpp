#include "fleet/times.hpp"

namespace keyturn {

FleetTimes FleetTimes::scaled(double factor) const {
    FleetTimes times = *this;
    for (Milliseconds* time :
         {&times.idle_look, &times.hasty_look, &times.roll_look, &times.soak_look, &times.answer,
          &times.take, &times.silence, &times.take_age, &times.beat, &times.take_over,
          &times.take_over_rank, &times.take_over_gap, &times.lead_age, &times.api_outage,
          &times.start_rank, &times.useless}) {
        *time = std::chrono::floor<Milliseconds>(*time * factor);
    }
    return times;
}

}  // namespace keyturn
