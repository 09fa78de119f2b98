#include "a2a/card.hpp"

#include <algorithm>
#include <cstddef>

#include "a2a/card_host.hpp"
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

// Readers of URLs leave some of these out, and then see another URL.
std::string without_blanks(std::string_view url) {
  std::string out{url};
  std::erase_if(out, [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F; });
  return out;
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

// Readers of protobuf's JSON take a field's own name too, and those in Go any case.
bool is_named(const json::Member& member, std::string_view name, std::string_view own_name) {
  return json::says(member.name, name, true) || json::says(member.name, own_name, true);
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
    if (!json::says(member->name, "url", true)) continue;
    const auto url = json::text_of(member->value);
    if (!url) continue;
    if (auto changed = rewrite_card_url(*url, place)) changes.push_back({member->value, json::quote(*changed)});
  }
}

}  // namespace

std::optional<std::string> rewrite_card_url(std::string_view url, const CardPlace& place) {
  const auto plain = without_blanks(url);
  const auto scheme = scheme_of(plain);
  if (scheme && *scheme != "http" && *scheme != "https") return {};
  if (plain.size() != url.size()) return place.base;
  auto rest = scheme ? url.substr(scheme->size() + 1) : url;
  if (scheme && !rest.starts_with("//")) return place.base;  // to some a path beside the page, to others a host
  bool overlay = false;
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    const auto end = std::min(rest.find_first_of("/?#"), rest.size());
    const auto host = card_host(rest.substr(0, end), place.overlay_host);
    if (host == CardHost::elsewhere) return {};
    if (host == CardHost::unclear) return place.base;
    overlay = host == CardHost::overlay;
    rest.remove_prefix(end);
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
    const bool supported = is_named(*member, "supportedInterfaces", "supported_interfaces");
    if (supported || is_named(*member, "additionalInterfaces", "additional_interfaces")) {
      json::Elements interfaces{member->value};
      while (const auto one = interfaces.next()) {
        look_at(*one, supported ? "protocolBinding" : "transport", place, changes);
      }
    } else if (json::says(member->name, "signatures", true)) {
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
