#include "bridge/access.hpp"

#include "http/local_access.hpp"
#include "http/text.hpp"

namespace axl::bridge {

std::optional<std::string_view> refuse_peer(const http::RequestHead& request, const Address& own) {
  if (request.headers.contains("Origin")) return "Origin not allowed";
  for (const auto& [name, value] : request.headers) {
    if (name.size() >= 10 && http::equal_ignoring_case(name.substr(0, 10), "Sec-Fetch-")) {
      return "Requests by pages are not allowed";
    }
  }
  if (http::host_name(request.host()) != own.to_string()) return "Host not allowed";
  return {};
}

}  // namespace axl::bridge
