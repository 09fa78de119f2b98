#include "bridge/peer_api.hpp"

#include <axl/version.hpp>
#include <utility>

#include "bridge/access.hpp"
#include "bridge/peer_id.hpp"
#include "bridge/reply.hpp"
#include "services/gateway.hpp"

namespace axl::bridge {

namespace {

http::ServerLimits limits(bool reserve) {
  http::ServerLimits out;
  out.connection.server = std::string{"axl/"} + kVersion;
  out.connection.head.head_bytes = 64UL * 1024;
  out.connections = 4'096;
  out.reserved = reserve ? out.connections / 2 : 0;
  out.connections_per_key = 1'024;
  return out;
}

std::string_view reason(router::Refusal refusal) {
  return refusal == router::Refusal::full ? "The receive queue is full"
                                          : "The receive queue holds too much of this sender";
}

}  // namespace

PeerApi::PeerApi(std::size_t max_message_size, bool reserve, KeyRule allows, KeyRule trusts, Inbox& inbox,
                 BodyGate& gate, Host& host)
    : allows_{std::move(allows)},
      trusts_{std::move(trusts)},
      inbox_{inbox},
      host_{host},
      own_host_{"[" + Address::of(host.our_key()).to_string() + "]"},
      uploads_{gate, max_message_size, &inbox.dispatcher().body_digest()},
      room_waits_{{}, inbox, host},
      server_{limits(reserve), host, [this](http::Exchange exchange) { serve(std::move(exchange)); }} {
  routes_.add("/messages", {"POST"}, [this](http::Exchange exchange) { serve_message(std::move(exchange)); });
}

void PeerApi::accept(std::unique_ptr<tcpip::Connection> connection) {
  http::Client client{.key = connection->peer(), .trusted = trusts_(connection->peer())};
  server_.accept(std::move(connection), std::move(client));
}

http::StatusCounts& PeerApi::counts_of(std::string_view path) noexcept {
  if (path.starts_with("/mcp/")) return gateway_counts_[0];
  return gateway_counts_[path.starts_with("/a2a") ? 1 : 2];
}

void PeerApi::count(Statistics& out) const {
  constexpr std::array<std::string_view, 3> kGateway{"/mcp/", "/a2a", "/services"};
  for (std::size_t i = 0; i < kGateway.size(); ++i) {
    out.requests.push_back({"peer", std::string{kGateway[i]}, gateway_counts_[i].by_class});
  }
  routes_.each_count([&out](std::string_view route, const http::StatusCounts& counts) {
    out.requests.push_back({"peer", std::string{route}, counts.by_class});
  });
}

void PeerApi::serve(http::Exchange exchange) {
  exchange.count_answer(&routes_.other());
  if (const auto why = refuse_peer(exchange.request(), own_host_)) {
    exchange.respond_error(403, *why);
    return;
  }
  const auto& key = exchange.client().key;
  if (!key || !allows_(*key)) {
    exchange.respond_error(403, "This node takes nothing from you");
    return;
  }
  if (gateway_ != nullptr && services::Gateway::serves(exchange.request().target.path())) {
    const auto caller = *key;
    exchange.count_answer(&counts_of(exchange.request().target.path()));
    gateway_->serve(std::move(exchange), caller);
    return;
  }
  routes_.serve(std::move(exchange));
}

void PeerApi::serve_message(http::Exchange exchange) {
  const auto& request = exchange.request();
  const auto id = request.headers.get("X-Message-Id");
  if (!id || id->empty()) {
    exchange.respond_error(400, "Missing X-Message-Id header");
    return;
  }
  if (!is_name(*id, kMaxMessageIdSize)) {
    exchange.respond_error(400, "Invalid X-Message-Id header");
    return;
  }
  const auto topic = request.headers.get("X-Topic");
  if (topic && !topic->empty() && !is_name(*topic, kMaxTopicSize)) {
    exchange.respond_error(400, "Invalid X-Topic header");
    return;
  }
  receive(std::move(exchange));
}

// A message without room waits for it, or is refused before its body is read: that is then read and thrown away, and
// the answers before this one stay whole.
void PeerApi::receive(http::Exchange exchange) {
  const auto& request = exchange.request();
  const auto sender = *exchange.client().key;
  if (const auto length = request.content_length.value_or(0); length <= uploads_.max_size()) {
    const auto id = request.headers.get("X-Message-Id").value_or(std::string_view{});
    if (const auto refusal = inbox_.dispatcher().would_refuse(sender, id, length, host_.now())) {
      if (!room_waits_.may_wait(sender)) return respond_busy(exchange, reason(*refusal));
      room_waits_.wait(std::move(exchange), sender, length, [this, why = *refusal](http::Exchange ready, bool room) {
        if (room) return receive(std::move(ready));  // another may have been faster
        respond_busy(ready, reason(why));
      });
      return;
    }
  }
  if (auto arrived = uploads_.take_arrived(exchange, sender)) return take(std::move(exchange), *std::move(arrived));
  uploads_.receive(std::move(exchange), sender, {},
                   [this](http::Exchange ready, Uploaded upload) { take(std::move(ready), std::move(upload)); });
}

void PeerApi::take(http::Exchange exchange, Uploaded upload) {
  const auto& headers = exchange.request().headers;
  Message message;
  message.sender = *exchange.client().key;
  message.address = Address::of(message.sender);
  message.id = headers.get("X-Message-Id").value_or(std::string_view{});
  message.topic = headers.get("X-Topic").value_or(std::string_view{});
  message.body = std::move(upload.body);
  message.received = host_.now();
  const auto sender = message.sender;
  const auto verdict = inbox_.dispatcher().offer(message, message.received, upload.digest ? &*upload.digest : nullptr);
  if (verdict == router::Verdict::accepted) room_waits_.found_room(sender);
  switch (verdict) {
    case router::Verdict::accepted:
    case router::Verdict::duplicate: exchange.respond(202, {}, {}); break;
    case router::Verdict::conflict: exchange.respond_error(409, "This X-Message-Id was used for another body"); break;
    case router::Verdict::full: respond_busy(exchange, reason(router::Refusal::full)); break;
    case router::Verdict::peer_share: respond_busy(exchange, reason(router::Refusal::peer_share)); break;
  }
}

}  // namespace axl::bridge
