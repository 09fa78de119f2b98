#include "services/backend_request.hpp"

#include <algorithm>
#include <array>

#include "http/forwarding.hpp"
#include "http/text.hpp"

namespace axl::services {

bool stays_behind(std::string_view name) {
  constexpr std::array<std::string_view, 10> names{"accept-encoding", "content-length", "cookie", "expect",
                                                   "forwarded",       "host",           "origin", "x-from-peer-id",
                                                   "x-real-ip",       "x-service"};
  constexpr std::array<std::string_view, 4> prefixes{"proxy-", "sec-fetch-", "x-axl-", "x-forwarded-"};
  std::array<char, 20> text;  // longer than any of these
  const auto end = std::ranges::transform(name.substr(0, text.size()), text.begin(), [](char c) {
                     return http::to_lower(c == '_' ? '-' : c);
                   }).out;
  const std::string_view plain{text.begin(), end};
  if (http::is_hop_by_hop(plain) || std::ranges::find(names, plain) != names.end()) return true;
  return std::ranges::any_of(prefixes, [&](std::string_view prefix) { return plain.starts_with(prefix); });
}

std::string backend_target(const Backend& backend, std::string_view suffix, std::string_view query) {
  std::string out = backend.path;
  if (!suffix.empty() && out.ends_with('/')) out.pop_back();
  out += suffix;
  if (out.empty()) out = "/";
  for (const auto part : {std::string_view{backend.query}, query}) {
    if (part.empty()) continue;
    out += out.find('?') == std::string::npos ? '?' : '&';
    out += part;
  }
  return out;
}

namespace {

PublicKey shown_key(const PublicKey& caller, const Backend& backend) {
  return backend.legacy_peer_id ? Address::of(caller).partial_key() : caller;
}

}  // namespace

std::string shown_id(const PublicKey& caller, const Backend& backend) { return shown_key(caller, backend).to_hex(); }

void add_identity(http::Headers& headers, const Backend& backend, const PublicKey& caller, std::string_view service,
                  CallerText& texts) {
  headers.set("Host", backend.host);
  headers.set("X-From-Peer-Id", texts.ids.of(shown_key(caller, backend)));
  headers.set("X-Axl-From-Address", texts.addresses.of(Address::of(caller)));
  if (!service.empty()) headers.set("X-Service", service);
}

http::Headers backend_headers(const http::Headers& incoming, const Backend& backend, const PublicKey& caller,
                              std::string_view service, CallerText& texts) {
  const http::ConnectionNames named{incoming};
  http::Headers out;
  out.add_from(incoming, [&](const auto& line) { return !stays_behind(line.name) && !named.contains(line.name); });
  add_identity(out, backend, caller, service, texts);
  return out;
}

}  // namespace axl::services
