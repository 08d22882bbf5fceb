#include "http/request_text.hpp"

#include <gtest/gtest.h>

namespace keyturn {
namespace {

const HttpOrigin origin{"api.example.com", "443", true};

TEST(RequestText, WritesAGet) {
    HttpRequest request;
    request.target = "/client/v4/x";
    request.bearer = Secret::copy_of("cfut_abc");
    const auto text = request_text(origin, request, "keyturn/1");
    ASSERT_TRUE(text);
    EXPECT_EQ(text->reveal(),
              "GET /client/v4/x HTTP/1.1\r\n"
              "Host: api.example.com\r\n"
              "User-Agent: keyturn/1\r\n"
              "Accept: application/json\r\n"
              "Authorization: Bearer cfut_abc\r\n"
              "\r\n");
}

TEST(RequestText, WritesAPatchWithItsBody) {
    HttpRequest request;
    request.method = "PATCH";
    request.body = Secret::copy_of("{}");
    const auto text = request_text({"::1", "8443", true}, request, "keyturn/1");
    ASSERT_TRUE(text);
    EXPECT_EQ(text->reveal(),
              "PATCH / HTTP/1.1\r\n"
              "Host: [::1]:8443\r\n"
              "User-Agent: keyturn/1\r\n"
              "Accept: application/json\r\n"
              "Content-Type: application/json\r\n"
              "Content-Length: 2\r\n"
              "\r\n"
              "{}");
}

TEST(RequestText, TellsTheLengthOfAnEmptyBodyWhereOneIsExpected) {
    HttpRequest request;
    request.method = "POST";
    const auto post = request_text(origin, request, "keyturn/1");
    ASSERT_TRUE(post);
    EXPECT_NE(post->reveal().find("Content-Length: 0\r\n"), std::string_view::npos);
    request.method = "DELETE";
    const auto remove = request_text(origin, request, "keyturn/1");
    ASSERT_TRUE(remove);
    EXPECT_EQ(remove->reveal().find("Content-Length"), std::string_view::npos);
}

TEST(RequestText, AsksForNoCompression) {
    const auto text = request_text(origin, HttpRequest(), "keyturn/1");
    ASSERT_TRUE(text);
    EXPECT_EQ(text->reveal().find("Accept-Encoding"), std::string_view::npos);
}

TEST(RequestText, RefusesWhatWouldBeginASecondHeaderOrRequest) {
    const auto is_refused = [](const HttpOrigin& to, const HttpRequest& request) {
        const auto text = request_text(to, request, "keyturn/1");
        return text.has_error() && text.error().fault == Fault::invalid;
    };
    HttpRequest request;
    EXPECT_FALSE(is_refused(origin, request));
    EXPECT_TRUE(is_refused({"a\r\nX: y", "443", true}, request));
    EXPECT_TRUE(is_refused({"", "443", true}, request));
    for (const auto* target : {"", "x", "/a b", "/a\r\nX: y", "/\x7f", "/\xc3\xa9"}) {
        request.target = target;
        EXPECT_TRUE(is_refused(origin, request)) << target;
    }
    request.target = "/";
    for (const auto* method : {"", "HEAD", "CONNECT", "get", "GET /\r\n"}) {
        request.method = method;
        EXPECT_TRUE(is_refused(origin, request)) << method;
    }
    request.method = "GET";
    for (const auto* bearer : {"a b", "a\n", "a\r\nX: y", "\xff"}) {
        request.bearer = Secret::copy_of(bearer);
        EXPECT_TRUE(is_refused(origin, request)) << bearer;
    }
}

TEST(RequestText, NeverRepeatsABadCredential) {
    HttpRequest request;
    request.bearer = Secret::copy_of("hunter2\n");
    const auto text = request_text(origin, request, "keyturn/1");
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().text.find("hunter2"), std::string::npos);
}

}  // namespace
}  // namespace keyturn
