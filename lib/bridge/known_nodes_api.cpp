#include "bridge/known_nodes_api.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <utility>

#include "bridge/known_nodes_json.hpp"
#include "bridge/peer_id.hpp"
#include "bridge/reply.hpp"
#include "http/target.hpp"
#include "mcp/json.hpp"

namespace axl::bridge {

namespace {

constexpr std::string_view kNoUri = R"(Missing uri: a body of {"uri":"tls://host:port"}, or ?uri=)";

void respond_json(http::Exchange& exchange, int status, std::string_view text) {
  exchange.respond(status, {{"Content-Type", "application/json"}}, Buffer::copy_of(as_bytes(text)));
}

bool allow(http::Exchange& exchange, std::initializer_list<std::string_view> methods) {
  std::string allowed;
  for (const auto method : methods) {
    if (exchange.request().is(method)) return true;
    allowed.append(allowed.empty() ? "" : ", ").append(method);
  }
  exchange.respond_error(405, "Method not allowed", {{"Allow", allowed}});
  return false;
}

std::optional<std::size_t> read_limit(std::string_view text) {
  std::size_t limit = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (limit == 0 || limit > KnownNodesApi::kMaxListed) return std::nullopt;
  return limit;
}

/// An absent member is an empty text; one that is no string is none.
std::optional<std::string> text_member(std::string_view object, std::string_view name) {
  const auto value = mcp::json::find(object, name);
  return value ? mcp::json::text_of(*value) : std::string{};
}

// Without what stands behind `?`: a password may.
std::string shown(const std::string& uri) { return uri.substr(0, uri.find('?')); }

}  // namespace

void KnownNodesApi::serve(http::Exchange exchange) {
  if (exchange.request().is("POST")) {
    serve_change(std::move(exchange), [this](auto& request, const auto& uri, const auto& interface) {
      add(request, uri, interface);
    });
  } else if (exchange.request().is("DELETE")) {
    serve_change(std::move(exchange), [this](auto& request, const auto& uri, const auto& interface) {
      remove(request, uri, interface);
    });
  } else {
    serve_list(exchange);
  }
}

void KnownNodesApi::serve_list(http::Exchange& exchange) {
  const auto query = exchange.request().target.query();
  std::optional<PublicKey> after;
  if (const auto text = http::query_value(query, "after")) {
    const auto key = PublicKey::from_hex(*text);
    if (!key) return exchange.respond_error(400, "Invalid after: it must be a peer ID");
    after = *key;
  }
  std::optional<std::size_t> limit{kListed};
  if (const auto text = http::query_value(query, "limit")) limit = read_limit(*text);
  if (!limit) return exchange.respond_error(400, fmt::format("Invalid limit: it must be 1 to {}", kMaxListed));
  auto nodes = host_.known_nodes(*limit + 1, after);
  std::optional<PublicKey> next;
  if (nodes.size() > *limit) {
    nodes.pop_back();
    next = nodes.back().key;
  }
  respond_json(exchange, 200, known_nodes_json(nodes, next));
}

void KnownNodesApi::serve_one(http::Exchange exchange) {
  constexpr std::string_view kPrefix = "/peers/";
  auto rest = std::string_view{exchange.request().target.path()}.substr(kPrefix.size());
  const auto end = std::min(rest.find('/'), rest.size());
  const auto id = http::percent_decode(rest.substr(0, end)).value_or(std::string{});
  rest.remove_prefix(end);
  if (!rest.empty() && rest != "/ping") return exchange.respond_error(404, "404 page not found");
  const bool pings = !rest.empty();
  if (!(pings ? allow(exchange, {"POST"}) : allow(exchange, {"GET", "HEAD"}))) return;
  const auto key = PublicKey::from_hex(id);
  if (!key) return exchange.respond_error(400, "Invalid peer ID");
  if (pings) return ping(std::move(exchange), *key);
  const auto node = host_.known_node(resolve(*key, host_));
  if (!node) return exchange.respond_error(404, "This peer is not known");
  respond_json(exchange, 200, known_node_json(*node) + "\n");
}

void KnownNodesApi::serve_change(http::Exchange exchange, Change change) {
  const auto query = exchange.request().target.query();
  if (const auto uri = http::query_value(query, "uri"); uri && !uri->empty()) {
    change(exchange, *uri, http::query_value(query, "interface").value_or(std::string{}));
    return;
  }
  std::move(exchange).collect({.max_bytes = kMaxBody}, [alive = std::weak_ptr{alive_}, change = std::move(change)](
                                                           http::Exchange ready, const Buffer& body) {
    if (alive.expired()) return;
    const auto text = mcp::json::trim(as_text(body.span()));
    if (text.empty()) return ready.respond_error(400, kNoUri);
    if (!mcp::json::is_valid(text) || mcp::json::type_of(text) != mcp::json::Type::object) {
      return ready.respond_error(400, "The body is no JSON object");
    }
    const auto uri = text_member(text, "uri");
    const auto interface = text_member(text, "interface");
    if (!uri || !interface) return ready.respond_error(400, "uri and interface must be strings");
    if (uri->empty()) return ready.respond_error(400, kNoUri);
    change(ready, *uri, *interface);
  });
}

void KnownNodesApi::add(http::Exchange& exchange, const std::string& uri, const std::string& interface) {
  const auto added = host_.dial_peer(uri, interface);
  if (added) {
    respond_json(exchange, 201, fmt::format("{{\"uri\":{}}}\n", mcp::json::quote(shown(uri))));
  } else if (added.error().is(Errc::already_exists)) {
    exchange.respond_error(409, "This peer is being dialled already");
  } else if (added.error().is(Errc::limit_reached)) {
    respond_busy(exchange, "Too many peers are being dialled");
  } else {
    exchange.respond_error(400, "Invalid peer URI: " + added.error().text());
  }
}

void KnownNodesApi::remove(http::Exchange& exchange, const std::string& uri, const std::string& interface) {
  if (host_.forget_peer(uri, interface)) {
    exchange.respond(204, {}, {});
  } else {
    exchange.respond_error(404, "No such peer is being dialled");
  }
}

void KnownNodesApi::ping(http::Exchange exchange, const PublicKey& peer) {
  if (pings_ >= kMaxPings) return respond_busy(exchange, "Too many pings are under way");
  ++pings_;
  auto waiting = std::make_shared<http::Exchange>(std::move(exchange));
  host_.ping(peer, ping_timeout_, [this, alive = std::weak_ptr{alive_}, waiting](const Result<Duration>& round_trip) {
    if (alive.expired()) return;
    --pings_;
    if (round_trip) {
      respond_json(*waiting, 200, "{\"latency_ms\":" + milliseconds_json(*round_trip) + "}\n");
    } else if (round_trip.error().is(Errc::timed_out)) {
      waiting->respond_error(504, "no response from peer: i/o timeout");
    } else if (round_trip.error().is(Errc::limit_reached)) {
      respond_busy(*waiting, "Too many pings are under way");
    } else {
      waiting->respond_error(502, "Failed to reach peer: " + round_trip.error().text());
    }
  });
}

}  // namespace axl::bridge
