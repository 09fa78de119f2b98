#include "bridge/sender.hpp"

#include <chrono>
#include <string_view>
#include <utility>

#include "bridge/messenger.hpp"
#include "bridge/peer_id.hpp"
#include "bridge/reply.hpp"
#include "bridge/send_failure.hpp"
#include "http/text.hpp"

namespace axl::bridge {

namespace {

constexpr std::size_t kMaxBytes = 1024UL * 1024 * 1024;  // one side, one client: a quarter of it
constexpr std::uint64_t kMaxRetrySeconds = 86'400;
constexpr std::string_view kIdHeader = "X-Axl-Message-Id";

void respond_failed(http::Exchange& exchange, const Error& error, std::size_t size, std::size_t max_size) {
  const auto failure = describe_failure(error, size, max_size);
  if (failure.later) return respond_busy(exchange, failure.text);
  exchange.respond_error(failure.status, failure.text);
}

}  // namespace

Sender::Sender(Messenger& messenger, Host& host, std::size_t max_message_size)
    : messenger_{messenger}, host_{host}, gate_{kMaxBytes, host.executor()}, uploads_{gate_, max_message_size} {}

void Sender::serve(http::Exchange exchange) {
  const auto& headers = exchange.request().headers;
  SendOptions options;
  const auto given = headers.get(kIdHeader);
  const bool named = given && is_name(*given, kMaxMessageIdSize);
  options.id = named ? std::string{*given} : make_message_id(host_.rng());
  exchange.add_header(kIdHeader, options.id);
  if (!exchange.request().is("POST")) return exchange.respond_error(405, "Method not allowed", {{"Allow", "POST"}});
  const auto destination = http::trim(headers.get("X-Destination-Peer-Id").value_or(std::string_view{}));
  if (destination.empty()) return exchange.respond_error(400, "Missing X-Destination-Peer-Id header");
  const auto key = PublicKey::from_hex(destination);
  if (!key) return exchange.respond_error(400, "Invalid destination peer ID");
  if (given && !named) return exchange.respond_error(400, "Invalid X-Axl-Message-Id header");
  const auto topic = headers.get("X-Axl-Topic");
  if (topic && !topic->empty()) {
    if (!is_name(*topic, kMaxTopicSize)) return exchange.respond_error(400, "Invalid X-Axl-Topic header");
    options.topic = *topic;
  }
  if (const auto retry = headers.get("X-Axl-Retry-For"); retry && !retry->empty()) {
    const auto seconds = http::parse_decimal(*retry);
    if (!seconds || *seconds > kMaxRetrySeconds) {
      return exchange.respond_error(400, "X-Axl-Retry-For must be from 0 to 86400 seconds");
    }
    options.retry_for = std::chrono::seconds{*seconds};
  }
  options.receipt = !http::equal_ignoring_case(headers.get("X-Axl-Receipt").value_or(std::string_view{}), "none");
  if (auto arrived = uploads_.take_arrived(exchange, host_.our_key())) {
    return send(std::move(exchange), *key, std::move(arrived->body), std::move(options), std::move(arrived->ticket));
  }
  uploads_.receive(std::move(exchange), host_.our_key(), {},
                   [this, key = *key, options = std::move(options)](http::Exchange ready, MessageBody body,
                                                                    BodyGate::Ticket ticket) mutable {
                     send(std::move(ready), key, std::move(body), std::move(options), std::move(ticket));
                   });
}

void Sender::send(http::Exchange exchange, const PublicKey& to, MessageBody body, SendOptions options,
                  BodyGate::Ticket ticket) {
  if (options.retry_for > Duration{}) return keep(std::move(exchange), to, std::move(body), std::move(options));
  struct Waiting {  // in one allocation that a std::function can hold
    http::Exchange exchange;
    BodyGate::Ticket ticket;
    std::size_t size;
    std::size_t max_size;
  };
  auto waiting = std::make_shared<Waiting>(
      Waiting{std::move(exchange), std::move(ticket), body.size(), messenger_.config().max_message_size});
  messenger_.send(to, std::move(body), std::move(options),
                  [this, waiting = std::move(waiting)](const Result<SendReport>& result) {
                    if (!result) return respond_failed(waiting->exchange, result.error(), waiting->size, waiting->max_size);
                    answer_.clear();
                    answer_.add("Content-Type", "application/octet-stream");
                    answer_.add("X-Sent-Bytes", std::to_string(waiting->size));
                    answer_.add("X-Axl-Delivered", result->delivery == Delivery::queued ? "1" : "unknown");
                    waiting->exchange.respond(200, answer_, {});
                    waiting->ticket.release();
                  });
}

// 202: the outbox has it. Its id asks there what became of it.
void Sender::keep(http::Exchange exchange, const PublicKey& to, MessageBody body, SendOptions options) {
  const auto size = body.size();
  const auto duration = options.retry_for;
  const auto added = messenger_.outbox().add(to, duration, std::move(body), std::move(options), {});
  if (!added) return respond_failed(exchange, added.error(), size, uploads_.max_size());
  http::Headers headers{{"Content-Type", "application/octet-stream"}};
  headers.add("X-Sent-Bytes", std::to_string(size));
  headers.add("X-Axl-Delivered", "pending");
  exchange.respond(202, headers, {});
}

void Sender::drain() { messenger_.outbox().stop(); }

}  // namespace axl::bridge
