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
  std::string plain{name};
  std::ranges::transform(plain, plain.begin(), [](char c) { return http::to_lower(c == '_' ? '-' : c); });
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

std::string shown_id(const PublicKey& caller, const Backend& backend) {
  return (backend.legacy_peer_id ? Address::of(caller).partial_key() : caller).to_hex();
}

void add_identity(http::Headers& headers, const Backend& backend, const PublicKey& caller, std::string_view service) {
  headers.set("Host", backend.host);
  headers.set("X-From-Peer-Id", shown_id(caller, backend));
  headers.set("X-Axl-From-Address", Address::of(caller).to_string());
  if (!service.empty()) headers.set("X-Service", service);
}

http::Headers backend_headers(const http::Headers& incoming, const Backend& backend, const PublicKey& caller,
                              std::string_view service) {
  const http::ConnectionNames named{incoming};
  http::Headers out;
  for (const auto& line : incoming) {
    if (!stays_behind(line.name) && !named.contains(line.name)) out.add(line.name, line.value);
  }
  add_identity(out, backend, caller, service);
  return out;
}

}  // namespace axl::services
