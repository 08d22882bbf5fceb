#include "keyturnd-fleet/places.hpp"
#include "keyturnd/run.hpp"

int main(int argc, char** argv) {
    return keyturn::run_keyturnd(argc, argv, keyturn::make_fleets).value();
}
