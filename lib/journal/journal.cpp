#include "journal/event_log.hpp"
