#include "cloudflared/token_source.hpp"
