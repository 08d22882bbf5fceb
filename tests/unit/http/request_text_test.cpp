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

TEST(RequestText, WritesTheHeadersOfTheRequestAfterItsOwn) {
    HttpRequest request;
    request.method = "PUT";
    request.body = Secret::copy_of("text");
    request.content_type = "application/octet-stream";
    request.headers.push_back({"If-Match", Secret::copy_of("\"0123 abc\"")});
    request.headers.push_back({"Authorization", Secret::copy_of("AWS4-HMAC-SHA256 Signature=1")});
    const auto text = request_text(origin, request, "keyturn/1");
    ASSERT_TRUE(text);
    EXPECT_EQ(text->reveal(),
              "PUT / HTTP/1.1\r\n"
              "Host: api.example.com\r\n"
              "User-Agent: keyturn/1\r\n"
              "Accept: application/json\r\n"
              "Content-Type: application/octet-stream\r\n"
              "Content-Length: 4\r\n"
              "If-Match: \"0123 abc\"\r\n"
              "Authorization: AWS4-HMAC-SHA256 Signature=1\r\n"
              "\r\n"
              "text");
}

TEST(RequestText, RefusesHeadersThatWouldEndTheRequestElsewhere) {
    const auto is_refused = [](const std::string& name, const std::string& value) {
        HttpRequest request;
        request.headers.push_back({name, Secret::copy_of(value)});
        const auto text = request_text(origin, request, "keyturn/1");
        return text.has_error() && text.error().fault == Fault::invalid &&
               text.error().text.find("hunter2") == std::string::npos;
    };
    EXPECT_FALSE(is_refused("X-Amz-Date", "20130524T000000Z"));
    for (const auto* name : {"", "a b", "a:", "a\r\nb", "\xc3\xa9", "Host", "content-length",
                             "Transfer-Encoding", "Connection"}) {
        EXPECT_TRUE(is_refused(name, "x")) << name;
    }
    for (const auto* value : {"hunter2\r\nX: y", "hunter2\n", "\t", "\x7f", "\xff"}) {
        EXPECT_TRUE(is_refused("X", value)) << value;
    }
    EXPECT_TRUE(is_refused("X", std::string(5000, 'a')));
    HttpRequest request;
    request.content_type = "text/plain\r\nX: y";
    EXPECT_TRUE(request_text(origin, request, "keyturn/1").has_error());
    request.content_type = "text/plain";
    request.accept = "*/*\n";
    EXPECT_TRUE(request_text(origin, request, "keyturn/1").has_error());
    request.accept = "*/*";
    const auto text = request_text(origin, request, "keyturn/1");
    ASSERT_TRUE(text);
    EXPECT_NE(text->reveal().find("\r\nAccept: */*\r\n"), std::string_view::npos);
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
