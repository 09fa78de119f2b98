#include "bridge/outbox_api.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "http/target.hpp"
#include "mcp/json.hpp"

namespace axl::bridge {

namespace {

std::int64_t seconds(Duration duration) { return std::chrono::duration_cast<std::chrono::seconds>(duration).count(); }

std::string item_json(const Outbox::Item& item, Time now) {
  return fmt::format(
      R"({{"id":{},"to":"{}","bytes":{},"age":{},"expires":{},"attempts":{},"state":"{}","last_error":{}}})",
      mcp::json::quote(item.id), item.peer.to_hex(), item.bytes, seconds(now - item.queued),
      std::max<std::int64_t>(seconds(item.expires - now), 0), item.attempts, to_string(item.state),
      mcp::json::quote(item.last_error));
}

void respond_json(http::Exchange& exchange, const std::string& text) {
  exchange.respond(200, {{"Content-Type", "application/json"}}, Buffer::copy_of(as_bytes(text)));
}

}  // namespace

void OutboxApi::serve(http::Exchange exchange) {
  if (const auto id = http::query_value(exchange.request().target.query(), "id")) {
    answer(std::move(exchange), *id);
    return;
  }
  if (exchange.request().is("DELETE")) {
    exchange.respond_error(405, "Method not allowed", {{"Allow", "GET, HEAD"}});
    return;
  }
  auto text = fmt::format(R"({{"count":{},"bytes":{},"messages":[)", outbox_.messages(), outbox_.bytes());
  const auto now = scheduler_.now();
  bool first = true;
  for (const auto& item : outbox_.waiting()) {
    if (!std::exchange(first, false)) text += ',';
    text += item_json(item, now);
  }
  respond_json(exchange, text + "]}\n");
}

void OutboxApi::serve_item(http::Exchange exchange) {
  constexpr std::string_view kPrefix = "/outbox/";
  const auto id = http::percent_decode(exchange.request().target.path().substr(kPrefix.size()));
  if (!id) {
    exchange.respond_error(400, "The message id is not percent-encoded");
    return;
  }
  answer(std::move(exchange), *id);
}

void OutboxApi::answer(http::Exchange exchange, std::string_view id) {
  if (exchange.request().is("DELETE")) {
    if (outbox_.give_up(id)) {
      exchange.respond(204, {}, {});
    } else {
      exchange.respond_error(404, "No such message waits in the outbox");
    }
    return;
  }
  const auto item = outbox_.find(id);
  if (!item) {
    exchange.respond_error(404, "No such message is or was in the outbox");
    return;
  }
  respond_json(exchange, item_json(*item, scheduler_.now()) + "\n");
}

}  // namespace axl::bridge
