#include "link/uri.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "link/go_duration.hpp"
#include "wire/meta.hpp"

namespace axl::link {

namespace {

constexpr std::array<std::string_view, 6> kOtherSchemes{"ws", "wss", "unix", "quic", "socks", "sockstls"};

enum class Use : std::uint8_t { dial, listen };

Error bad(std::string text) { return {Errc::invalid_argument, std::move(text)}; }

std::string lower(std::string_view text) {
  std::string result{text};
  for (auto& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

template <class Number>
std::optional<Number> decimal(std::string_view digits) noexcept {
  Number value{};
  const auto* end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, value);
  if (digits.empty() || digits.front() == '-' || parsed.ec != std::errc{} || parsed.ptr != end) return {};
  return value;
}

/// What stands before the first `separator`; takes both off `text`.
std::string_view take_until(std::string_view& text, char separator) noexcept {
  const auto at = text.find(separator);
  const auto taken = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view{} : text.substr(at + 1);
  return taken;
}

/// Query form: `+` is a space, %xx a byte.
Result<std::string> query_decoded(std::string_view text) {
  std::string decoded;
  while (!text.empty()) {
    auto taken = std::size_t{1};
    if (text.front() == '%') {
      taken = 3;
      const auto byte = text.size() < taken ? std::nullopt : from_hex(text.substr(1, 2));
      if (!byte) return bad("bad escape in the query of the URI");
      decoded += static_cast<char>(byte->front());
    } else {
      decoded += text.front() == '+' ? ' ' : text.front();
    }
    text.remove_prefix(taken);
  }
  return decoded;
}

struct Query {
  std::vector<std::string> keys;
  std::optional<std::string> priority;
  std::optional<std::string> password;
  std::optional<std::string> sni;
  std::optional<std::string> max_backoff;
};

Result<Query> read_query(std::string_view text) {
  Query query;
  while (!text.empty()) {
    auto value = take_until(text, '&');
    const auto name = query_decoded(take_until(value, '='));
    const auto decoded = query_decoded(value);
    if (!name) return name.error();
    if (!decoded) return decoded.error();
    const auto first = [&decoded](std::optional<std::string>& option) {
      if (!option) option = *decoded;
    };
    if (*name == "key") {
      query.keys.push_back(*decoded);
    } else if (*name == "priority") {
      first(query.priority);
    } else if (*name == "password") {
      first(query.password);
    } else if (*name == "sni") {
      first(query.sni);
    } else if (*name == "maxbackoff") {
      first(query.max_backoff);
    }
  }
  return query;
}

Result<Scheme> read_scheme(std::string_view name) {
  if (name == "tcp") return Scheme::tcp;
  if (name == "tls") return Scheme::tls;
  if (std::ranges::find(kOtherSchemes, name) != kOtherSchemes.end()) {
    return Error{Errc::not_supported, std::string{name} + ":// links are not supported yet"};
  }
  return Error{Errc::not_supported, "link schema unknown"};
}

bool is_host_char(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

bool is_ipv6_char(char c) noexcept {
  return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || (c >= '0' && c <= '9') || c == ':' || c == '.';
}

/// The parts of `host:port`, still as text.
struct Authority {
  std::string_view host;
  std::string_view port;
};

Result<Authority> split_authority(std::string_view text) {
  std::string_view host;
  std::string_view rest;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return bad("missing ']' in the host of the URI");
    host = text.substr(1, close - 1);
    rest = text.substr(close + 1);
    // The zone is of no use: the interface is given beside the URI.
    host = host.substr(0, host.find('%'));
    if (host.find(':') == std::string_view::npos || !std::ranges::all_of(host, is_ipv6_char)) {
      return bad("no IPv6 address in the brackets of the URI");
    }
  } else {
    host = text.substr(0, text.find(':'));
    rest = text.substr(host.size());
    if (!std::ranges::all_of(host, is_host_char)) return bad("bad character in the host of the URI");
  }
  if (!rest.starts_with(':') || rest.size() == 1) return bad("missing port in the URI");
  return Authority{host, rest.substr(1)};
}

Result<void> read_options(std::string_view text, Use use, const UriRules& rules, Uri& uri) {
  const auto query = read_query(text);
  if (!query) return query.error();
  if (query->priority && !query->priority->empty()) {
    const auto priority = decimal<std::uint8_t>(*query->priority);
    if (!priority) return bad("priority value is invalid");
    uri.priority = *priority;
  }
  if (query->password) {
    if (query->password->size() > wire::kMaxPasswordSize) return bad("invalid password supplied");
    uri.password = *query->password;
  }
  if (use == Use::listen) return {};
  for (const auto& digits : query->keys) {
    const auto key = PublicKey::from_hex(digits);
    if (!key) return bad("pinned public key is invalid");
    if (std::ranges::find(uri.pinned_keys, *key) == uri.pinned_keys.end()) uri.pinned_keys.push_back(*key);
  }
  if (query->sni) uri.sni = *query->sni;
  if (query->max_backoff && !query->max_backoff->empty()) {
    const auto max_backoff = parse_go_duration(*query->max_backoff);
    if (!max_backoff || *max_backoff < rules.smallest_max_backoff) return bad("max backoff duration invalid");
    uri.max_backoff = *max_backoff;
  }
  return {};
}

Result<Uri> parse(std::string_view text, Use use, const UriRules& rules) {
  text = text.substr(0, text.find('#'));
  const auto scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) return bad("the URI has no scheme, such as tls://");
  const auto scheme = read_scheme(lower(text.substr(0, scheme_end)));
  if (!scheme) return scheme.error();
  text.remove_prefix(scheme_end + 3);
  const auto query_at = text.find('?');
  const auto place = text.substr(0, query_at);
  const auto query = query_at == std::string_view::npos ? std::string_view{} : text.substr(query_at + 1);
  if (place.find('@') != std::string_view::npos) return bad("a user name means nothing in this URI");

  const auto authority = split_authority(place.substr(0, place.find('/')));
  if (!authority) return authority.error();
  const auto port = decimal<std::uint16_t>(authority->port);
  if (!port || (use == Use::dial && *port == 0)) return bad("bad port in the URI");
  if (use == Use::dial && authority->host.empty()) return bad("missing host in the URI");

  Uri uri;
  uri.scheme = *scheme;
  uri.host = authority->host;
  uri.port = *port;
  uri.identity = std::string{scheme_name(*scheme)} + "://" + std::string{place};
  if (const auto options = read_options(query, use, rules, uri); !options) return options.error();
  return uri;
}

}  // namespace

std::string Uri::server_name() const {
  if (!sni.empty() && !is_ip_literal(sni)) return sni;
  return is_ip_literal(host) ? std::string{} : host;
}

Result<Uri> parse_peer_uri(std::string_view text, const UriRules& rules) { return parse(text, Use::dial, rules); }

Result<Uri> parse_listener_uri(std::string_view text) { return parse(text, Use::listen, {}); }

bool is_ip_literal(std::string_view host) noexcept {
  if (host.find(':') != std::string_view::npos) return true;  // no name holds a colon
  if (host.ends_with('.')) return false;
  int parts = 0;
  for (;; ++parts) {
    const auto part = take_until(host, '.');
    const auto number = decimal<std::uint8_t>(part);
    if (!number || (part.size() > 1 && part.front() == '0')) return false;
    if (host.empty()) break;
  }
  return parts == 3;
}

const char* scheme_name(Scheme scheme) noexcept { return scheme == Scheme::tls ? "tls" : "tcp"; }

}  // namespace axl::link
