// A2A to old peers: one envelope for the card, one for each request; streams only as one event, if so configured.

#include <fmt/format.h>
#include <axl/a2a.hpp>

#include <utility>

#include "a2a/card.hpp"
#include "bridge/old_peer_state.hpp"
#include "http/target.hpp"
#include "mcp/json.hpp"

namespace axl::bridge {

namespace {

using mcp::json::Members;

bool is_card_path(std::string_view suffix) noexcept {
  return suffix == "/.well-known/agent-card.json" || suffix == "/.well-known/agent.json";
}

/// The method that gives the same result without a stream; empty when there is none.
std::string_view unstreamed(std::string_view method) noexcept {
  if (method == "SendStreamingMessage") return "SendMessage";
  if (method == "message/stream") return "message/send";
  return {};
}

/// `body` with another method; every other byte stays.
std::string with_method(std::string_view body, std::string_view method) {
  std::string out{body};
  Members members{body};
  std::string_view value;
  while (const auto member = members.next()) {
    if (mcp::json::says(member->name, "method")) value = member->value;
  }
  if (!value.empty()) {
    out.replace(static_cast<std::size_t>(value.data() - body.data()), value.size(), mcp::json::quote(method));
  }
  return out;
}

/// The answer of an envelope, or nothing after the error in its place has been sent.
std::optional<a2a::AnswerEnvelope> read_or_refuse(http::Exchange& exchange, const MessageBody& answer) {
  auto envelope = a2a::read_answer(answer);
  if (!envelope) {
    exchange.respond_error(502, "Invalid response from peer");
  } else if (envelope->error) {
    exchange.respond_error(502, *envelope->error);
    envelope.reset();
  }
  return envelope;
}

void answer_card(http::Exchange exchange, const PublicKey& peer, const MessageBody& answer) {
  const auto envelope = read_or_refuse(exchange, answer);
  if (!envelope) return;
  const auto& head = exchange.request();
  a2a::CardPlace place;
  place.base = fmt::format("http://{}/a2a/{}", head.host(), peer.to_hex());
  place.peer_ids = {peer.to_hex(), Address::of(peer).partial_key().to_hex()};
  place.overlay_host = Address::of(peer).to_string();
  const bool raw = http::query_value(head.target.query(), "raw") == "1";
  const auto rewritten = raw ? std::nullopt : a2a::rewrite_card(envelope->response, place);
  if (!rewritten) return respond_json(exchange, envelope->response);
  respond_json(exchange, rewritten->text, {{"X-Axl-Card", "rewritten"}});
}

void answer_request(http::Exchange exchange, const MessageBody& answer, bool as_event) {
  const auto envelope = read_or_refuse(exchange, answer);
  if (!envelope) return;
  if (!as_event) return respond_json(exchange, envelope->response);
  http::Headers headers{{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-cache"}};
  headers.set("X-Content-Type-Options", "nosniff");
  std::string event = "data: ";
  for (const auto c : envelope->response) event += c == '\n' || c == '\r' ? ' ' : c;  // no string holds either
  event += "\n\n";
  exchange.respond(200, headers, Buffer::copy_of(as_bytes(event)));
}

void post_a2a(OldPeerRequests::State& state, http::Exchange exchange, const PublicKey& peer, const MessageBody& bytes,
              BodyGate::Ticket ticket) {
  const auto body = mcp::json::trim(as_text(bytes));
  const auto message = mcp::peek(as_bytes(body));
  if (!message) return exchange.respond_error(400, "Invalid JSON-RPC");
  const bool streaming = a2a::is_streaming(message->method);
  const auto instead = unstreamed(message->method);
  if (streaming && (!state.config.a2a_stream_downgrade || instead.empty())) {
    return exchange.respond_error(502, "This peer is of an older kind, which carries no streams: use SendMessage");
  }
  auto envelope = a2a::encode_request(streaming ? with_method(body, instead) : std::string{body});
  state.call(
      std::move(exchange), peer, std::move(envelope), std::move(ticket),
      [streaming](http::Exchange ready, const MessageBody& answer) { answer_request(std::move(ready), answer, streaming); });
}

}  // namespace

void OldPeerRequests::serve_a2a(http::Exchange exchange, const PublicKey& peer, std::string_view suffix) {
  const auto& head = exchange.request();
  const bool root = suffix.empty() || suffix == "/";
  if (!root && !is_card_path(suffix)) {
    return exchange.respond_error(404, "This peer is of an older kind: it has its agent's card and JSON-RPC only");
  }
  if (head.is("GET") || head.is("HEAD")) {  // the server keeps the body of an answer to HEAD back
    return state_->call(
        std::move(exchange), peer, a2a::encode_card_request(), {},
        [peer](http::Exchange ready, const MessageBody& answer) { answer_card(std::move(ready), peer, answer); });
  }
  if (!root || !head.is("POST")) {
    return exchange.respond_error(405, "Method not allowed", {{"Allow", root ? "GET, HEAD, POST" : "GET, HEAD"}});
  }
  state_->receive(std::move(exchange), [state = state_.get(), peer](http::Exchange ready, Uploaded upload) {
    post_a2a(*state, std::move(ready), peer, upload.body, std::move(upload.ticket));
  });
}

}  // namespace axl::bridge
