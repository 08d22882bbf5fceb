// Reads lines "BASE\tCOUNT\tEXPRESSION", BASE in seconds since 1970, and answers each with the
// normal form and the next COUNT moments, tabs between them, or with "!" where the expression is
// refused.
#include "schedule/calendar.hpp"

#include <iostream>
#include <sstream>

using namespace keyturn;

int main() {
    std::string line;
    while (std::getline(std::cin, line)) {
        std::istringstream fields(line);
        std::int64_t base = 0;
        int count = 0;
        fields >> base >> count;
        fields.ignore(1);
        std::string expression;
        std::getline(fields, expression);
        const Result<Calendar> calendar = parse_calendar(expression);
        if (!calendar) {
            std::cout << "!\n" << std::flush;
            continue;
        }
        std::cout << calendar->text();
        std::optional<WallTime> moment{std::chrono::sys_seconds{std::chrono::seconds{base}}};
        while (count-- > 0 && (moment = calendar->next_after(*moment, TimeZone{}))) {
            std::cout
                << '\t'
                << std::chrono::floor<std::chrono::seconds>(*moment).time_since_epoch().count();
        }
        std::cout << '\n' << std::flush;
    }
}
