#include "http/url.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "http/target.hpp"
#include "http/text.hpp"

namespace axl::http {

namespace {

constexpr std::size_t kMaxUrl = 8 * 1024;
constexpr std::size_t kMaxSocketPath = 107;  // what the address of a Unix socket has room for

Error bad(const char* what) { return Error{Errc::invalid_argument, what}; }

// A name or an IPv4 address. No percent signs: names on the network have none.
bool is_name(std::string_view host) noexcept {
  return !host.empty() && host.size() <= 255 && std::all_of(host.begin(), host.end(), [](char c) {
    const char lower = to_lower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

std::optional<std::array<unsigned char, 16>> parse_ipv6(const std::string& text) {
  std::array<unsigned char, 16> address;
  if (::inet_pton(AF_INET6, text.c_str(), address.data()) != 1) return std::nullopt;
  return address;
}

bool is_loopback_ipv6(const std::array<unsigned char, 16>& address) noexcept {
  constexpr std::array<unsigned char, 16> kOne{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  constexpr std::array<unsigned char, 13> kMapped{0, 0, 0, 0,    0,    0,  0,
                                                  0, 0, 0, 0xff, 0xff, 127};  // ::ffff:127.0.0.0/104
  return address == kOne || std::equal(kMapped.begin(), kMapped.end(), address.begin());
}

// `host`, `host:port`, `[v6]`, `[v6]:port`.
Result<void> parse_authority(std::string_view text, Place& place) {
  std::string_view port;
  std::string_view rest;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return bad("an address without its closing bracket");
    place.host = text.substr(1, end - 1);
    if (!parse_ipv6(place.host)) return bad("not an IPv6 address");
    rest = text.substr(end + 1);
    if (!rest.empty() && rest.front() != ':') return bad("text behind the address");
  } else {
    const auto colon = std::min(text.find(':'), text.size());
    place.host = text.substr(0, colon);
    if (!is_name(place.host)) return bad("not a host name");
    rest = text.substr(colon);
  }
  if (rest.size() <= 1) return {};  // none, or a colon alone: the scheme's port
  port = rest.substr(1);
  const auto number = parse_decimal(port);
  if (!number || *number == 0 || *number > 65'535) return bad("not a port");
  place.port = static_cast<std::uint16_t>(*number);
  return {};
}

Result<void> parse_socket(std::string_view text, Place& place) {
  const auto path = percent_decode(text);
  if (!path || !path->starts_with('/') || path->find('\0') != std::string::npos) return bad("not the path of a socket");
  if (path->size() > kMaxSocketPath) return bad("the path of the socket is too long");
  place.host = *path;
  place.port = 0;
  return {};
}

// Takes `scheme` and `://` from the front of `text`, if they are there.
bool take_scheme(std::string_view& text, std::string_view scheme) noexcept {
  const auto size = scheme.size() + 3;
  if (text.size() < size || !equal_ignoring_case(text.substr(0, scheme.size()), scheme)) return false;
  if (text.substr(scheme.size(), 3) != "://") return false;
  text.remove_prefix(size);
  return true;
}

}  // namespace

Result<Url> Url::parse(std::string_view text) {
  if (text.size() > kMaxUrl) return bad("a URL that long");
  const bool printable = std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (!printable) return bad("spaces, control characters and non-ASCII characters must be percent-encoded");
  if (text.find('#') != std::string_view::npos) return bad("a fragment is not for servers");
  Url url;
  const bool local = take_scheme(text, "http+unix");
  if (!local) {
    url.place.tls = take_scheme(text, "https");
    if (!url.place.tls && !take_scheme(text, "http")) return bad("neither http, https nor http+unix");
    url.place.port = url.place.tls ? 443 : 80;
  }
  const auto authority = text.substr(0, std::min(text.find_first_of("/?"), text.size()));
  text.remove_prefix(authority.size());
  if (authority.find('@') != std::string_view::npos) return bad("user information does not belong into a URL");
  if (auto parsed = local ? parse_socket(authority, url.place) : parse_authority(authority, url.place); !parsed) {
    return parsed.error();
  }
  url.authority = local ? std::string_view{"localhost"} : authority;
  if (url.authority.ends_with(':')) url.authority.pop_back();
  const auto question = std::min(text.find('?'), text.size());
  url.path = question == 0 ? std::string_view{"/"} : text.substr(0, question);
  if (question < text.size()) url.query = text.substr(question + 1);
  return url;
}

bool Url::is_loopback() const noexcept {
  if (place.port == 0 || equal_ignoring_case(place.host, "localhost")) return true;
  in_addr ipv4{};
  if (::inet_pton(AF_INET, place.host.c_str(), &ipv4) == 1) return (ntohl(ipv4.s_addr) >> 24) == 127;
  const auto ipv6 = parse_ipv6(place.host);
  return ipv6 && is_loopback_ipv6(*ipv6);
}

}  // namespace axl::http
