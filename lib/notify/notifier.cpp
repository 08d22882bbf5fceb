#include "notify/notifier.hpp"
