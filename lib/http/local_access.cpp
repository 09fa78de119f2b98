#include "http/local_access.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "http/text.hpp"

namespace axl::http {

namespace {

constexpr std::size_t kMaxAskedHeaders = 4'096;

// Four numbers from 0 to 255; the first of them.
std::optional<int> first_of_v4(std::string_view host) noexcept {
  std::array<int, 4> parts{};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto* end = host.data() + host.size();
    const auto [rest, error] = std::from_chars(host.data(), end, parts[i]);
    if (error != std::errc{} || host.starts_with('-') || parts[i] > 255) return {};
    host.remove_prefix(static_cast<std::size_t>(rest - host.data()));
    if (i < 3) {
      if (!host.starts_with('.')) return {};
      host.remove_prefix(1);
    }
  }
  if (!host.empty()) return {};
  return parts[0];
}

bool is_loopback_name(std::string_view host) noexcept {
  return host == "localhost" || host.ends_with(".localhost") || host == "::1" || first_of_v4(host) == 127;
}

bool listed(const std::vector<std::string>& list, std::string_view value) noexcept {
  return std::ranges::any_of(list, [value](const std::string& item) { return equal_ignoring_case(item, value); });
}

void answer_preflight(Exchange& exchange) {
  const auto& asked = exchange.request().headers;
  Headers headers{{"Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, DELETE, OPTIONS"},
                  {"Access-Control-Max-Age", "600"}};
  const auto names = asked.get("Access-Control-Request-Headers");
  if (names && names->size() <= kMaxAskedHeaders) headers.add("Access-Control-Allow-Headers", *names);
  if (asked.get("Access-Control-Request-Private-Network") == "true") {
    headers.add("Access-Control-Allow-Private-Network", "true");
  }
  exchange.respond(204, headers, {});
}

}  // namespace

std::string host_name(std::string_view host) {
  host = trim(host);
  if (host.starts_with('[')) {
    host = host.substr(1, host.find(']') == std::string_view::npos ? std::string_view::npos : host.find(']') - 1);
  } else if (const auto colon = host.find(':'); colon != std::string_view::npos && host.rfind(':') == colon) {
    host = host.substr(0, colon);
  }
  if (host.ends_with('.')) host.remove_suffix(1);
  std::string out{host};
  std::ranges::transform(out, out.begin(), to_lower);
  return out;
}

// No name has a colon, so any text of these letters with two of them is meant as an IPv6 address.
bool is_ip_literal(std::string_view host) noexcept {
  if (first_of_v4(host)) return true;
  return std::ranges::count(host, ':') >= 2 && std::ranges::all_of(host, [](char c) {
           const auto lower = to_lower(c);
           return (lower >= '0' && lower <= '9') || (lower >= 'a' && lower <= 'f') || lower == ':' || lower == '.';
         });
}

bool equal_secrets(std::string_view given, std::string_view secret) noexcept {
  volatile unsigned difference = given.size() == secret.size() ? 0U : 1U;
  for (std::size_t i = 0; i < given.size() && !secret.empty(); ++i) {
    const auto a = static_cast<unsigned char>(given[i]);
    const auto b = static_cast<unsigned char>(secret[i % secret.size()]);
    difference = difference | static_cast<unsigned>(a ^ b);
  }
  return difference == 0;
}

void LocalAccess::add_bound_address(std::string_view address) {
  const auto host = host_name(address);
  if (host.empty() || host == "0.0.0.0" || host == "::") {
    any_literal_ = true;
  } else if (!is_loopback_name(host) && !listed(config_.hosts, host)) {
    config_.hosts.push_back(host);
  }
}

bool LocalAccess::lists_origin(const RequestHead& request) const {
  const auto origin = request.headers.get("Origin");
  return origin && listed(config_.origins, *origin) && request.headers.count("Origin") == 1;
}

bool LocalAccess::knows_host(std::string_view text) const {
  if (!text.empty() && text == known_host_) return true;
  const auto host = host_name(text);
  const bool known = is_loopback_name(host) || listed(config_.hosts, host) || (any_literal_ && is_ip_literal(host));
  if (known) known_host_ = text;
  return known;
}

std::optional<Refusal> LocalAccess::refuse_origin(const RequestHead& request) const {
  // HTTP/1.0 needs no Host; HTTP/1.1 without one never gets here.
  const auto host = request.host();
  if ((!host.empty() || request.headers.contains("Host")) && !knows_host(host)) return Refusal{403, "Host not allowed"};
  const bool origin_listed = lists_origin(request);
  if (!origin_listed && request.headers.contains("Origin")) return Refusal{403, "Origin not allowed"};
  const auto dest = request.headers.get("Sec-Fetch-Dest");
  if (dest && *dest != "empty" && !(origin_listed && *dest == "websocket")) {
    return Refusal{403, "Requests by pages are not allowed"};
  }
  if (const auto site = request.headers.get("Sec-Fetch-Site"); site && *site != "none" && !origin_listed) {
    return Refusal{403, "Requests by pages are not allowed"};
  }
  return {};
}

std::optional<Refusal> LocalAccess::refuse(const RequestHead& request) const {
  if (const auto refusal = refuse_origin(request)) return refusal;
  return refuse_token(request);
}

std::optional<Refusal> LocalAccess::refuse_token(const RequestHead& request) const {
  if (!has_token()) return {};
  const auto given = request.headers.get(kTokenHeader);
  if (!given) return Refusal{401, "Missing X-Axl-Token header"};
  if (request.headers.count(kTokenHeader) != 1 || !equal_secrets(*given, config_.token)) {
    return Refusal{401, "Wrong X-Axl-Token"};
  }
  return {};
}

bool LocalAccess::admit(Exchange& exchange) const {
  const auto& request = exchange.request();
  const bool listed_page = lists_origin(request);
  auto refusal = refuse_origin(request);
  if (listed_page && !refusal) {
    exchange.add_header("Access-Control-Allow-Origin", *request.headers.get("Origin"));
    exchange.add_header("Access-Control-Expose-Headers", "*");
    exchange.add_header("Vary", "Origin");
    // A preflight cannot carry the token: the request after it must.
    if (request.is("OPTIONS") && request.headers.contains("Access-Control-Request-Method")) {
      answer_preflight(exchange);
      return false;
    }
  }
  if (!refusal) refusal = refuse_token(request);
  if (!refusal) return true;
  Headers headers;
  if (refusal->status == 401) headers.add("WWW-Authenticate", "X-Axl-Token realm=\"axl\"");
  exchange.respond_error(refusal->status, refusal->text, std::move(headers));
  return false;
}

}  // namespace axl::http
