#include "cloudflare/tunnel_api.hpp"
