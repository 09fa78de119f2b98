#include "bridge/ws_api.hpp"

#include <optional>
#include <utility>

#include "bridge/recv_request.hpp"
#include "bridge/reply.hpp"
#include "http/target.hpp"
#include "http/websocket_handshake.hpp"

namespace axl::bridge {

WsApi::WsApi(const WsSession::Parts& parts) : parts_{parts} {}

WsApi::~WsApi() = default;

void WsApi::serve(http::Exchange exchange) {
  if (auto refused = http::refuse_websocket(exchange.request())) {
    exchange.respond_error(refused->status, refused->text, std::move(refused->headers));
    return;
  }
  const auto query = exchange.request().target.query();
  auto request = RecvRequest::parse(query);
  if (!request) {
    exchange.respond_error(400, request.error().text());
    return;
  }
  const auto recv = http::query_value(query, "recv").value_or("1");
  if (recv != "0" && recv != "1") {
    exchange.respond_error(400, "recv must be 0 or 1");
    return;
  }
  if (draining_) return respond_busy(exchange, "The node is shutting down");
  const auto id = next_++;
  auto wanted = recv == "1" ? std::optional{*std::move(request)} : std::nullopt;
  auto made = std::make_unique<WsSession>(std::move(exchange), std::move(wanted), parts_,
                                          [this, id] { sessions_.erase(id); });
  sessions_.emplace(id, std::move(made)).first->second->start();
}

void WsApi::drain() {
  draining_ = true;
  for (auto next = sessions_.begin(); next != sessions_.end();) (next++)->second->finish();
}

}  // namespace axl::bridge
