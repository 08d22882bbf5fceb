#include "simulation/dice.hpp"

#include <cmath>

namespace keyturn::simulation {

Milliseconds Dice::until_next(double per_hour) {
    if (per_hour <= 0) return for_ever;
    constexpr double hour_ms = 3'600'000;
    const double wait = -std::log1p(-fraction()) / per_hour * hour_ms;
    return Milliseconds{static_cast<Milliseconds::rep>(wait)} + Milliseconds{1};
}

}  // namespace keyturn::simulation
