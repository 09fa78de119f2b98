#include "bridge/access.hpp"

#include "http/local_access.hpp"
#include "http/text.hpp"

namespace axl::bridge {

std::optional<std::string_view> refuse_peer(const http::RequestHead& request, std::string_view own_host) {
  if (request.headers.contains("Origin")) return "Origin not allowed";
  for (const auto& [name, value] : request.headers) {
    if (http::starts_ignoring_case(name, "Sec-Fetch-")) {
      return "Requests by pages are not allowed";
    }
  }
  // As our own nodes write it, else however it may be written.
  const auto host = request.host();
  if (host != own_host && http::host_name(host) != http::host_name(own_host)) return "Host not allowed";
  return {};
}

}  // namespace axl::bridge
