#pragma once

#include "cloudflare/tunnel_api.hpp"
#include "fakes/scripted_http.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace keyturn {

inline const TunnelRef some_tunnel{"699d98642c564d2e855e9661899b7252",
                                   "f70ff985-a4ef-4643-bbbc-4a0ed4fc8415"};
inline constexpr auto some_url = "https://api.cloudflare.com/client/v4/";

class TunnelApiTest : public testing::Test {
  protected:
    ScriptedHttp http;
    std::unique_ptr<TunnelApi> api =
        make_tunnel_api(http, some_url, Secret::copy_of("cfut_the_api_token"));
};

}  // namespace keyturn
