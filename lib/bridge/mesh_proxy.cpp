#include "bridge/mesh_proxy.hpp"

#include <axl/bytes.hpp>
#include <utility>

#include "a2a/card.hpp"
#include "bridge/dial_error.hpp"
#include "bridge/mesh_headers.hpp"
#include "bridge/peer_id.hpp"
#include "bridge/reply.hpp"
#include "http/target.hpp"
#include "http/text.hpp"

namespace axl::bridge {

namespace {

constexpr std::string_view kMethods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
constexpr std::string_view kCard = "/.well-known/agent-card.json";
constexpr std::size_t kMaxCard = 1024UL * 1024;

// Where agents show their cards: well-known paths of 0.2 to 1.0, and the extended card of the REST bindings.
bool is_card_path(std::string_view suffix) {
  return suffix.ends_with(kCard) || suffix.ends_with("/.well-known/agent.json") ||
         suffix.ends_with("/extendedAgentCard") || suffix.ends_with("/v1/card");
}

bool is_json(const http::Headers& headers) {
  auto type = headers.get("Content-Type").value_or(std::string_view{});
  type = http::trim(type.substr(0, type.find(';')));
  const bool json = http::equal_ignoring_case(type, "application/json") ||
                    (type.size() > 5 && http::equal_ignoring_case(type.substr(type.size() - 5), "+json"));
  return json && !headers.contains("Content-Encoding");
}

}  // namespace

// What a request asks for, kept while it is under way.
struct MeshProxy::Call {
  Kind kind{};
  PublicKey peer = {};
  PublicKey named = {};        // the same as the client wrote it, perhaps partial
  std::string rest = {};       // service, or what follows the peer; as written
  std::string host = {};       // the client's name for us
  bool card = false;           // the answer may be a card
  bool keep_signed = false;

  [[nodiscard]] a2a::CardPlace place(std::string base) const {
    const auto address = Address::of(peer);
    return {.base = std::move(base) + "/a2a/" + named.to_hex(),
            .peer_ids = {peer.to_hex(), address.partial_key().to_hex()},
            .overlay_host = address.to_string()};
  }
};

class MeshProxy::Events final : public http::RelayEvents {
 public:
  Events(MeshProxy& proxy, Call call) : proxy_{proxy}, call_{std::move(call)} {}

  std::optional<std::size_t> on_response(const http::ResponseHead& head, http::Headers& headers) override {
    tame_answer(headers);
    if (headers.contains("Location")) tame_location(headers, call_.place({}), call_.kind == Kind::a2a);
    if (!call_.card) return {};
    CardTags{call_.host + call_.named.to_hex()}.mark(headers);
    if (head.status != 200 || !is_json(headers)) return {};
    return kMaxCard;
  }

  Buffer on_body(http::Headers& headers, Buffer body) override {
    const auto card = a2a::rewrite_card(as_text(body), call_.place("http://" + call_.host));
    if (!card || (card->is_signed && call_.keep_signed)) return body;
    headers.set("X-Axl-Card", "rewritten");
    return Buffer::copy_of(as_bytes(card->text));
  }

  void on_failed(http::Exchange exchange, const Error& error, http::Delivery delivery, bool body_untouched) override {
    if (error.is(Errc::refused) && delivery == http::Delivery::not_sent && body_untouched &&
        call_.peer != proxy_.host_.our_key()) {
      proxy_.serve_old(std::move(exchange), call_);
    } else {
      proxy_.fail(std::move(exchange), call_, error, delivery);
    }
  }

 private:
  MeshProxy& proxy_;
  Call call_;
};

MeshProxy::Config MeshProxy::config_of(const NodeConfig& config) {
  Config out;
  out.pools.tcp_port = config.tcp_port;
  out.pools.http_port = config.http_port;
  out.pools.dial_timeout = config.dial_timeout;
  out.old_peers.tcp_port = config.tcp_port;
  out.old_peers.max_message_size = config.max_message_size;
  out.old_peers.dial_timeout = config.dial_timeout;
  out.old_peers.a2a_stream_downgrade = config.a2a_stream_downgrade;
  return out;
}

MeshProxy::MeshProxy(const Config& config, Host& host, std::shared_ptr<OldPeers> old_peers,
                     std::shared_ptr<http::Upstream> ourselves)
    : config_{config},
      host_{host},
      old_peers_{std::move(old_peers)},
      ourselves_{std::move(ourselves)},
      pools_{config.pools, host, old_peers_},
      old_requests_{config.old_peers, host},
      relays_{host} {}

MeshProxy::~MeshProxy() = default;

std::size_t MeshProxy::under_way() const noexcept { return relays_.under_way() + old_requests_.under_way(); }

void MeshProxy::serve_mcp(http::Exchange exchange) { serve(std::move(exchange), Kind::mcp); }

void MeshProxy::serve_a2a(http::Exchange exchange) { serve(std::move(exchange), Kind::a2a); }

void MeshProxy::serve(http::Exchange exchange, Kind kind) {
  const auto& request = exchange.request();
  auto path = request.target.path();
  path.remove_prefix(std::string_view{"/mcp/"}.size());  // or /a2a/
  const auto end = std::min(path.find('/'), path.size());
  const auto peer = path.substr(0, end);
  auto rest = path.substr(end);
  if (kind == Kind::mcp && !rest.empty()) rest.remove_prefix(1);
  if (kind == Kind::mcp && (peer.empty() || rest.empty())) {
    exchange.respond_error(400, "URL must be /mcp/{peer_id}/{service}");
    return;
  }
  if (peer.empty()) {
    exchange.respond_error(400, "URL must be /a2a/{peer_id}");
    return;
  }
  if (request.is("OPTIONS")) {
    exchange.respond(204, {{"Allow", kMethods}}, {});
    return;
  }
  if (request.is("TRACE") || request.is("CONNECT")) {
    exchange.respond_error(405, "Method not allowed", {{"Allow", kMethods}});
    return;
  }
  const bool encoded = peer.find('%') != std::string_view::npos;
  const auto key = PublicKey::from_hex(encoded ? http::percent_decode(peer).value_or(std::string{}) : peer);
  if (!key) {
    exchange.respond_error(502, "Failed to reach peer: invalid peer ID");
    return;
  }
  Call call{.kind = kind, .peer = resolve(*key, host_), .named = *key, .rest = std::string{rest}};
  call.host = request.host();
  // An old application asks `/a2a/{peer}` itself for the card.
  const bool reads = request.is("GET") || request.is("HEAD");
  if (kind == Kind::a2a && reads && rest.empty()) call.rest = kCard;
  call.card = kind == Kind::a2a && reads && !call.host.empty() && is_card_path(call.rest);
  call.keep_signed = call.card && http::query_value(request.target.query(), "raw") == "1";
  if (call.peer != host_.our_key() && old_peers_->contains(call.peer, host_.now())) {
    serve_old(std::move(exchange), call);
  } else {
    carry(std::move(exchange), std::move(call));
  }
}

void MeshProxy::carry(http::Exchange exchange, Call call) {
  const auto& head = exchange.request();
  const bool ours = call.peer == host_.our_key();
  const bool envelope = head.is("POST") || call.card;
  auto upstream = ours ? ourselves_ : pools_.reach(call.peer, envelope);
  if (!upstream) {
    if (ours) {
      exchange.respond_error(502, "Failed to reach peer: this node serves nothing");
    } else {
      respond_busy(exchange, "Too many peers are being talked to");
    }
    return;
  }
  http::RelayRequest request{.method = head.method, .target = {}, .headers = headers_for_peer(head.headers)};
  request.target = (call.kind == Kind::mcp ? "/mcp/" : "/a2a") + call.rest;
  if (head.target.has_query()) request.target.append("?").append(head.target.query());
  request.headers.add("Host", host_of(call.peer));
  if (call.card) CardTags{call.host + call.named.to_hex()}.unmark(request.headers);
  relays_.carry(std::move(exchange), std::move(upstream), std::move(request),
                {.answer_timeout = config_.answer_timeout}, std::make_unique<Events>(*this, std::move(call)));
}

const std::string& MeshProxy::host_of(const PublicKey& peer) {
  if (host_text_.empty() || hosted_ != peer) {
    hosted_ = peer;
    host_text_ = "[" + Address::of(peer).to_string() + "]";
  }
  return host_text_;
}

void MeshProxy::serve_old(http::Exchange exchange, const Call& call) {
  const auto peer = call.peer;
  if (call.kind == Kind::a2a) {
    const auto suffix = call.rest;
    old_requests_.serve_a2a(std::move(exchange), peer, suffix);
  } else if (const auto service = http::percent_decode(call.rest)) {
    old_requests_.serve_mcp(std::move(exchange), peer, *service);
  } else {
    exchange.respond_error(400, "URL must be /mcp/{peer_id}/{service}");
  }
}

void MeshProxy::fail(http::Exchange exchange, const Call& call, const Error& error, http::Delivery delivery) {
  if (error.is(Errc::limit_reached)) {
    respond_busy(exchange, "Too many requests to this peer are under way");
  } else if (delivery == http::Delivery::not_sent) {
    const auto reason = dial_error(error, Address::of(call.peer), config_.pools.tcp_port);
    exchange.respond_error(502, "Failed to reach peer: " + reason.text());
  } else if (error.is(Errc::timed_out)) {
    exchange.respond_error(504, "no response from peer: i/o timeout");
  } else {
    exchange.respond_error(502, "no response from peer: EOF");
  }
}

}  // namespace axl::bridge
