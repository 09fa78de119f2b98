#include "bridge/sender.hpp"

#include <chrono>
#include <optional>
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
constexpr std::size_t kLeastMissing = 4UL * 1024 * 1024;  // less is not sooner there: on few cores all are busy with it
constexpr Duration kLongestUpload{std::chrono::milliseconds{100}};

void respond_failed(http::Exchange& exchange, const Error& error, std::size_t size, std::size_t max_size) {
  const auto failure = describe_failure(error, size, max_size);
  if (failure.later) return respond_busy(exchange, failure.text);
  exchange.respond_error(failure.status, failure.text);
}

}  // namespace

// One request, from the moment its message is on its way, or its body is waited for.
struct Sender::Sending {
  Sending() = default;
  Sending(http::Exchange with, BodyGate::Ticket place) : exchange{std::move(with)}, ticket{std::move(place)} {}

  http::Exchange exchange;
  BodyGate::Ticket ticket;
  std::size_t size = 0;
  bool begun = false;    // the message went on before its body had come in full
  bool arrived = false;  // and now it has
  std::optional<Result<SendReport>> result = {};
};

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
    const auto sending = std::make_shared<Sending>(std::move(exchange), std::move(arrived->ticket));
    return send(sending, *key, std::move(arrived->body), std::move(options));
  }
  receive(std::move(exchange), *key, std::move(options));
}

void Sender::receive(http::Exchange exchange, const PublicKey& to, SendOptions options) {
  const auto sending = std::make_shared<Sending>();
  auto finish = [this, sending, to, options](http::Exchange ready, Uploaded upload) {
    sending->exchange = std::move(ready);
    sending->ticket = std::move(upload.ticket);
    if (!sending->begun) return send(sending, to, std::move(upload.body), options);
    sending->arrived = true;
    if (sending->result) answer(*sending, *sending->result);
  };
  EarlyHandler early;
  if (options.receipt && options.retry_for == Duration{}) {
    early = [this, sending, to, options = std::move(options), started = host_.now()](
                const MessageBody& body, const std::shared_ptr<Arrival>& arrival) {
      return begin(sending, to, body, arrival, options, started);
    };
  }
  uploads_.receive(std::move(exchange), host_.our_key(), {}, std::move(finish), std::move(early));
}

// Only where much of it is missing, and will be here soon: what else is sent to this peer waits behind it.
bool Sender::begin(const std::shared_ptr<Sending>& sending, const PublicKey& to, const MessageBody& body,
                   const std::shared_ptr<Arrival>& arrival, const SendOptions& options, Time started) {
  const auto missing = body.size() - arrival->there();
  const auto expected = (host_.now() - started) * (missing / arrival->there() + 1);
  if (missing < kLeastMissing || expected > kLongestUpload) return false;
  sending->size = body.size();
  sending->begun =
      messenger_.send_arriving(to, body, arrival, options, [this, sending](const Result<SendReport>& result) {
        sending->result = result;
        if (sending->arrived) answer(*sending, result);
      });
  return sending->begun;
}

void Sender::send(const std::shared_ptr<Sending>& sending, const PublicKey& to, MessageBody body, SendOptions options) {
  if (options.retry_for > Duration{}) {
    return keep(std::move(sending->exchange), to, std::move(body), std::move(options));
  }
  sending->size = body.size();
  messenger_.send(to, std::move(body), std::move(options), [this, sending](const Result<SendReport>& result) {
    answer(*sending, result);
  });
}

void Sender::answer(Sending& sending, const Result<SendReport>& result) {
  if (!result) return respond_failed(sending.exchange, result.error(), sending.size, uploads_.max_size());
  answer_.clear();
  answer_.add("Content-Type", "application/octet-stream");
  answer_.add("X-Sent-Bytes", std::to_string(sending.size));
  answer_.add("X-Axl-Delivered", result->delivery == Delivery::queued ? "1" : "unknown");
  sending.exchange.respond(200, answer_, {});
  sending.ticket.release();
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
