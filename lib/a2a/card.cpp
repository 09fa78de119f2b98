#include "a2a/card.hpp"

#include <algorithm>
#include <cstddef>

#include "mcp/json.hpp"

namespace axl::a2a {

namespace {

namespace json = mcp::json;

constexpr std::string_view kAgent = "/a2a";

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lower(std::string_view text) {
  std::string out{text};
  std::ranges::transform(out, out.begin(), [](char c) { return lower(c); });
  return out;
}

// What stands before the colon, if it is a scheme; RFC 3986, section 3.1.
std::optional<std::string> scheme_of(std::string_view url) {
  const auto end = url.find_first_of(":/?#");
  if (end == std::string_view::npos || end == 0 || url[end] != ':') return {};
  auto scheme = lower(url.substr(0, end));
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
  };
  if (!std::ranges::all_of(scheme, fits) || scheme[0] < 'a') return {};
  return scheme;
}

bool all_of_v4(std::string_view host) {
  return std::ranges::all_of(host, [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

// Means the machine on which the card was written.
bool is_far_host(std::string_view host, const CardPlace& place) {
  return host == "localhost" || host.ends_with(".localhost") || host == "::1" || host == "::" || host == "0.0.0.0" ||
         (host.starts_with("127.") && all_of_v4(host)) || (!place.overlay_host.empty() && host == place.overlay_host);
}

// The host of an authority, lower case, without user information, port and brackets.
std::string host_of(std::string_view authority) {
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) authority.remove_prefix(at + 1);
  if (authority.starts_with('[')) {
    authority.remove_prefix(1);
    return lower(authority.substr(0, authority.find(']')));
  }
  auto host = lower(authority.substr(0, authority.find(':')));
  if (host.ends_with('.')) host.pop_back();
  return host;
}

bool takes_away(std::string_view& path, std::string_view prefix) {
  if (path.size() < prefix.size() || lower(path.substr(0, prefix.size())) != lower(prefix)) return false;
  const auto rest = path.substr(prefix.size());
  if (!rest.empty() && rest.front() != '/' && rest.front() != '?' && rest.front() != '#') return false;
  path = rest;
  return true;
}

// A path that could lead out of the agent's place, into our own local API.
bool climbs(std::string_view path) {
  const auto plain = lower(path);
  return plain.find("..") != std::string::npos || plain.find("%2e") != std::string::npos ||
         plain.find("%2f") != std::string::npos || plain.find("%5c") != std::string::npos ||
         plain.find('\\') != std::string::npos;
}

struct Change {
  std::string_view old;  // a JSON string of the card, with its quotes
  std::string text;
};

// The URL of one interface, or of the card itself; `binding` is the member that names its protocol.
void look_at(std::string_view object, std::string_view binding, const CardPlace& place, std::vector<Change>& changes) {
  if (const auto protocol = json::find(object, binding)) {
    if (lower(json::text_of(*protocol).value_or("")) == "grpc") return;
  }
  json::Members members{object};
  while (const auto member = members.next()) {  // each one, if there are several
    if (!json::says(member->name, "url")) continue;
    const auto url = json::text_of(member->value);
    if (!url) continue;
    if (auto changed = rewrite_card_url(*url, place)) changes.push_back({member->value, json::quote(*changed)});
  }
}

}  // namespace

std::optional<std::string> rewrite_card_url(std::string_view url, const CardPlace& place) {
  bool overlay = false;
  const auto scheme = scheme_of(url);
  if (scheme && *scheme != "http" && *scheme != "https") return {};
  auto rest = scheme ? url.substr(scheme->size() + 1) : url;
  if (scheme && !rest.starts_with("//")) return {};
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    const auto host = host_of(rest.substr(0, rest.find_first_of("/?#")));
    if (!is_far_host(host, place)) return {};
    overlay = host == place.overlay_host;
    const auto end = rest.find_first_of("/?#");
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end);
  }
  const auto named = [&](const std::string& id) { return takes_away(rest, std::string{kAgent} + "/" + id); };
  if (std::ranges::none_of(place.peer_ids, named) && overlay) takes_away(rest, kAgent);
  if (rest == "/" || climbs(rest.substr(0, rest.find_first_of("?#")))) rest = {};
  std::string out = place.base;
  const bool joined = rest.empty() || rest.front() == '/' || rest.front() == '?' || rest.front() == '#';
  if (!joined) out += '/';
  out += rest;
  return out;
}

std::optional<RewrittenCard> rewrite_card(std::string_view card, const CardPlace& place) {
  if (!json::is_valid(card) || json::type_of(card) != json::Type::object) return {};
  std::vector<Change> changes;
  look_at(card, "preferredTransport", place, changes);
  RewrittenCard out;
  json::Members members{card};
  while (const auto member = members.next()) {
    const bool supported = json::says(member->name, "supportedInterfaces");
    if (supported || json::says(member->name, "additionalInterfaces")) {
      json::Elements interfaces{member->value};
      while (const auto one = interfaces.next()) {
        look_at(*one, supported ? "protocolBinding" : "transport", place, changes);
      }
    } else if (json::says(member->name, "signatures")) {
      out.is_signed = json::Elements{member->value}.next().has_value();
    }
  }
  if (changes.empty()) return {};
  std::ranges::sort(changes, {}, [](const Change& change) { return change.old.data(); });
  std::size_t at = 0;
  for (const auto& change : changes) {
    const auto begin = static_cast<std::size_t>(change.old.data() - card.data());
    out.text.append(card.substr(at, begin - at)).append(change.text);
    at = begin + change.old.size();
  }
  out.text.append(card.substr(at));
  return out;
}

}  // namespace axl::a2a
