#include "http/http_client.hpp"
