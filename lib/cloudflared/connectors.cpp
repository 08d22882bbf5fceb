#include "cloudflared/connectors.hpp"
