#include "bridge/access.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "http/text.hpp"

namespace axl::bridge {

namespace {

// Four numbers from 0 to 255, the first of them 127.
bool is_loopback_v4(std::string_view host) {
  std::array<int, 4> parts{};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto* end = host.data() + host.size();
    const auto [rest, error] = std::from_chars(host.data(), end, parts[i]);
    if (error != std::errc{} || host.starts_with('-') || parts[i] > 255) return false;
    host.remove_prefix(static_cast<std::size_t>(rest - host.data()));
    if (i < 3) {
      if (!host.starts_with('.')) return false;
      host.remove_prefix(1);
    }
  }
  return host.empty() && parts[0] == 127;
}

bool is_loopback_name(std::string_view host) {
  return host == "localhost" || host.ends_with(".localhost") || host == "::1" || is_loopback_v4(host);
}

bool listed(const std::vector<std::string>& list, std::string_view value) {
  return std::ranges::any_of(list, [value](const std::string& item) { return http::equal_ignoring_case(item, value); });
}

}  // namespace

std::string host_name(std::string_view host) {
  host = http::trim(host);
  if (host.starts_with('[')) {
    host = host.substr(1, host.find(']') == std::string_view::npos ? std::string_view::npos : host.find(']') - 1);
  } else if (const auto colon = host.find(':'); colon != std::string_view::npos && host.rfind(':') == colon) {
    host = host.substr(0, colon);
  }
  if (host.ends_with('.')) host.remove_suffix(1);
  std::string out{host};
  std::ranges::transform(out, out.begin(), http::to_lower);
  return out;
}

std::optional<std::string_view> refuse_local(const http::RequestHead& request, const std::vector<std::string>& hosts,
                                             const std::vector<std::string>& origins) {
  const auto host = host_name(request.host());
  // HTTP/1.0 needs no Host; HTTP/1.1 without one never gets here.
  if (!host.empty() || request.headers.contains("Host")) {
    if (!is_loopback_name(host) && !listed(hosts, host)) return "Host not allowed";
  }
  const auto origin = request.headers.get("Origin");
  const bool origin_listed = origin && listed(origins, *origin) && request.headers.count("Origin") == 1;
  if (origin && !origin_listed) return "Origin not allowed";
  if (const auto dest = request.headers.get("Sec-Fetch-Dest"); dest && *dest != "empty") {
    return "Requests by pages are not allowed";
  }
  if (const auto site = request.headers.get("Sec-Fetch-Site"); site && *site != "none" && !origin_listed) {
    return "Requests by pages are not allowed";
  }
  return {};
}

std::optional<std::string_view> refuse_peer(const http::RequestHead& request, const Address& own) {
  if (request.headers.contains("Origin")) return "Origin not allowed";
  for (const auto& [name, value] : request.headers) {
    if (name.size() >= 10 && http::equal_ignoring_case(name.substr(0, 10), "Sec-Fetch-")) {
      return "Requests by pages are not allowed";
    }
  }
  if (host_name(request.host()) != own.to_string()) return "Host not allowed";
  return {};
}

}  // namespace axl::bridge
