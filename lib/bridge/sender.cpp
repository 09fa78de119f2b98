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

void respond_failed(http::Exchange& exchange, const Error& error, std::size_t size, std::size_t max_size,
                    http::Headers headers) {
  const auto failure = describe_failure(error, size, max_size);
  if (failure.later) return respond_busy(exchange, failure.text, std::move(headers));
  exchange.respond_error(failure.status, failure.text, std::move(headers));
}

}  // namespace

Sender::Sender(Messenger& messenger, Host& host, std::size_t max_message_size)
    : messenger_{messenger}, host_{host}, gate_{kMaxBytes, host.executor()}, uploads_{gate_, max_message_size} {}

void Sender::serve(http::Exchange exchange) {
  const auto& headers = exchange.request().headers;
  SendOptions options;
  http::Headers extra;
  const auto given = headers.get(kIdHeader);
  options.id = given && is_name(*given, kMaxMessageIdSize) ? std::string{*given} : make_message_id(host_.rng());
  extra.set(kIdHeader, options.id);
  if (!exchange.request().is("POST")) {
    extra.set("Allow", "POST");
    exchange.respond_error(405, "Method not allowed", std::move(extra));
    return;
  }
  const auto destination = http::trim(headers.get("X-Destination-Peer-Id").value_or(std::string_view{}));
  if (destination.empty()) {
    exchange.respond_error(400, "Missing X-Destination-Peer-Id header", std::move(extra));
    return;
  }
  const auto key = PublicKey::from_hex(destination);
  if (!key) {
    exchange.respond_error(400, "Invalid destination peer ID", std::move(extra));
    return;
  }
  if (given && *given != options.id) {
    exchange.respond_error(400, "Invalid X-Axl-Message-Id header", std::move(extra));
    return;
  }
  const auto topic = headers.get("X-Axl-Topic");
  if (topic && !topic->empty()) {
    if (!is_name(*topic, kMaxTopicSize)) {
      exchange.respond_error(400, "Invalid X-Axl-Topic header", std::move(extra));
      return;
    }
    options.topic = *topic;
  }
  if (const auto retry = headers.get("X-Axl-Retry-For"); retry && !retry->empty()) {
    const auto seconds = http::parse_decimal(*retry);
    if (!seconds || *seconds > kMaxRetrySeconds) {
      exchange.respond_error(400, "X-Axl-Retry-For must be from 0 to 86400 seconds", std::move(extra));
      return;
    }
    options.retry_for = std::chrono::seconds{*seconds};
  }
  options.receipt = !http::equal_ignoring_case(headers.get("X-Axl-Receipt").value_or(std::string_view{}), "none");
  auto more = extra;
  uploads_.receive(
      std::move(exchange), host_.our_key(), std::move(more),
      [this, key = *key, options = std::move(options), extra = std::move(extra)](http::Exchange ready, Bytes body,
                                                                                 BodyGate::Ticket ticket) mutable {
        struct Waiting {  // in one allocation that a std::function can hold
          http::Exchange exchange;
          BodyGate::Ticket ticket;
          http::Headers extra;
        };
        const auto size = body.size();
        if (options.retry_for > Duration{}) {
          keep(std::move(ready), key, std::move(body), std::move(options), std::move(extra));
          return;
        }
        auto waiting = std::make_shared<Waiting>(Waiting{std::move(ready), std::move(ticket), std::move(extra)});
        messenger_.send(key, MessageBody{std::move(body)}, std::move(options),
                        [waiting, size, max_size = messenger_.config().max_message_size](Result<SendReport> result) {
                          auto& answer = waiting->extra;
                          if (!result) {
                            respond_failed(waiting->exchange, result.error(), size, max_size, std::move(answer));
                            return;
                          }
                          answer.set("Content-Type", "application/octet-stream");
                          answer.set("X-Sent-Bytes", std::to_string(size));
                          answer.set("X-Axl-Delivered", result->delivery == Delivery::queued ? "1" : "unknown");
                          waiting->exchange.respond(200, answer, {});
                          waiting->ticket.release();
                        });
      });
}

// 202: the outbox has it. Its id asks there what became of it.
void Sender::keep(http::Exchange exchange, const PublicKey& to, Bytes body, SendOptions options,
                  http::Headers headers) {
  const auto size = body.size();
  const auto duration = options.retry_for;
  const auto added = messenger_.outbox().add(to, duration, MessageBody{std::move(body)}, std::move(options), {});
  if (!added) {
    respond_failed(exchange, added.error(), size, uploads_.max_size(), std::move(headers));
    return;
  }
  headers.set("Content-Type", "application/octet-stream");
  headers.set("X-Sent-Bytes", std::to_string(size));
  headers.set("X-Axl-Delivered", "pending");
  exchange.respond(202, headers, {});
}

void Sender::drain() { messenger_.outbox().stop(); }

}  // namespace axl::bridge
