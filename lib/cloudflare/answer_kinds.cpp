#include "cloudflare/answer_kinds.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace keyturn {

namespace {

enum class Form { any, page, not_json };

/// The answers that mean a kind. Zero or empty matches anything.
struct Row {
    AnswerKind kind;
    int from = 0;
    int to = 999;
    Form form = Form::any;
    std::array<std::int64_t, 6> codes{};
    std::string_view words = {};
};

/// The first matching row decides. The codes are Cloudflare's, as seen in real answers. The status
/// and whether the body is a page decide the rest.
constexpr std::array rows{
    // 971 comes with 429 and with 500; the other two are the codes of older releases.
    Row{AnswerKind::limited, 429, 429},
    Row{AnswerKind::limited, 400, 999, Form::any, {971, 10'429, 10'100}},
    Row{AnswerKind::page_for_success, 200, 299, Form::page},
    Row{AnswerKind::address_refused, 200, 499, Form::any, {9109}, "from location"},
    Row{AnswerKind::token_malformed, 200, 499, Form::any, {6003, 6103, 6111, 9106, 1001}},
    Row{AnswerKind::token_unknown, 200, 499, Form::any, {1000}},
    Row{AnswerKind::token_unknown, 200, 499, Form::any, {9109}, "Invalid access token"},
    Row{AnswerKind::token_refused, 200, 499, Form::any, {9109, 10'000}},
    Row{AnswerKind::not_routed, 200, 499, Form::any, {7000, 7003}},
    Row{AnswerKind::failed_success, 200, 299, Form::any, {}, "reports a failure"},
    Row{AnswerKind::unread_success, 200, 299},
    Row{AnswerKind::redirected, 300, 399},
    Row{AnswerKind::blocked, 403, 403, Form::not_json},
    Row{AnswerKind::token_refused, 401, 401},
    Row{AnswerKind::token_refused, 403, 403},
    Row{AnswerKind::page_not_found, 404, 404, Form::not_json},
    Row{AnswerKind::not_found, 404, 404},
    Row{AnswerKind::proxy_login, 407, 407},
    Row{AnswerKind::proxy_login, 511, 511},
    Row{AnswerKind::conflicting, 409, 409},
    Row{AnswerKind::failing, 408, 408},
    Row{AnswerKind::failing_in_front, 500, 999, Form::not_json},
    Row{AnswerKind::failing, 500, 999},
};

bool fits(const Row& row, int status, const ApiErrors& errors) {
    if (status < row.from || status > row.to) return false;
    if (row.form == Form::page && errors.form != BodyForm::page) return false;
    const bool json = errors.form == BodyForm::json || errors.form == BodyForm::empty;
    if (row.form == Form::not_json && json) return false;
    const auto listed = [&](std::int64_t code) {
        return code != 0 && std::ranges::find(row.codes, code) != row.codes.end();
    };
    if (row.codes.front() != 0 && std::ranges::none_of(errors.codes, listed)) return false;
    return row.words.empty() || errors.text.find(row.words) != std::string::npos;
}

struct Remedy {
    AnswerKind kind;
    Fault fault;
    std::string_view text;  ///< PERMISSION is replaced by the permission that the call needs.
};

constexpr std::string_view permission_mark = "PERMISSION";

constexpr std::array remedies{
    Remedy{AnswerKind::limited, Fault::busy,
           "Cloudflare limits how often it is called, and keyturn retries automatically; if it "
           "lasts, look for other programs that use an API token of the same user"},
    Remedy{AnswerKind::address_refused, Fault::denied,
           "the API token may not be used from this host's address: at Cloudflare, add the "
           "address to the token's Client IP Address Filtering"},
    Remedy{AnswerKind::token_malformed, Fault::denied,
           "the API token is malformed, or it is a tunnel token: put an API token with the "
           "permission PERMISSION into the credential"},
    Remedy{AnswerKind::token_unknown, Fault::denied,
           "Cloudflare does not know this API token: it was deleted, rolled or not copied in full; "
           "create one with the permission PERMISSION and put it into the credential"},
    Remedy{AnswerKind::token_refused, Fault::denied,
           "the API token is not valid, or it does not allow this in this account: give it the "
           "permission PERMISSION for the account under `account:`, or create a new one"},
    Remedy{AnswerKind::blocked, Fault::denied,
           "this comes from a firewall or a challenge in front of the API, and says nothing about "
           "the API token: allow this host's address in the firewall (WAF) rule or in the proxy "
           "that blocks it"},
    Remedy{AnswerKind::proxy_login, Fault::invalid,
           "something between this host and Cloudflare asks for a login: let this host connect to "
           "the API directly"},
    Remedy{AnswerKind::not_routed, Fault::invalid,
           "Cloudflare does not recognise one of the ids: check that `account:` and `tunnel:` are "
           "complete and not swapped"},
    Remedy{AnswerKind::page_not_found, Fault::invalid,
           "something other than the API answered: check `api_url:`, and what is between this "
           "host and Cloudflare"},
    Remedy{AnswerKind::not_found, Fault::missing,
           "the account or the tunnel does not exist, or the tunnel was deleted: check `account:` "
           "and `tunnel:`"},
    Remedy{AnswerKind::conflicting, Fault::conflict,
           "the tunnel's present state does not allow this: look for what else changes the tunnel "
           "(the dashboard, Terraform, another host)"},
    Remedy{AnswerKind::redirected, Fault::invalid,
           "keyturn does not follow redirects; check `api_url:`"},
    Remedy{AnswerKind::failing, Fault::unreachable,
           "Cloudflare's API is failing at the moment; if it lasts, see "
           "https://www.cloudflarestatus.com"},
    Remedy{AnswerKind::failing_in_front, Fault::unreachable,
           "something in front of the API answered, because the API did not: if it lasts, see "
           "https://www.cloudflarestatus.com, and check any proxy in between"},
    Remedy{AnswerKind::not_taken, Fault::invalid,
           "the API does not accept this request: check `api_url:`, and whether there is a newer "
           "version of keyturn"},
    Remedy{
        AnswerKind::page_for_success, Fault::invalid,
        "a maintenance page, or the page of a proxy or a login in between, came instead of the "
        "API's answer: if it lasts, check `api_url:` and what is between this host and Cloudflare"},
    Remedy{AnswerKind::unread_success, Fault::invalid,
           "the API does not answer this call like that: check `api_url:`, and whether there is a "
           "newer version of keyturn"},
    Remedy{AnswerKind::failed_success, Fault::invalid,
           "Cloudflare accepted the request but did not carry it out: see "
           "https://www.cloudflarestatus.com, and the reason that it gives"},
};

const Remedy& row_of(AnswerKind kind) {
    return *std::ranges::find(remedies, kind, &Remedy::kind);
}

}  // namespace

Fault fault_of(AnswerKind kind) {
    return row_of(kind).fault;
}

AnswerKind kind_of_answer(int status, const ApiErrors& errors) {
    const auto row =
        std::ranges::find_if(rows, [&](const Row& each) { return fits(each, status, errors); });
    return row == rows.end() ? AnswerKind::not_taken : row->kind;
}

std::string remedy_of(AnswerKind kind, bool needs_write) {
    std::string text{row_of(kind).text};
    const auto mark = text.find(permission_mark);
    if (mark != std::string::npos) {
        text.replace(mark, permission_mark.size(),
                     needs_write ? "Cloudflare Tunnel Write" : "Cloudflare Tunnel Read or Write");
    }
    return text;
}

}  // namespace keyturn
