#include "bridge/old_peer_state.hpp"

#include <fmt/format.h>

#include <utility>

#include "bridge/reply.hpp"

namespace axl::bridge {

namespace {

constexpr std::size_t kBodyBytes = 256UL * 1024 * 1024;
/// An old peer takes 128 connections in all.
constexpr std::size_t kCallsPerPeer = 64;
constexpr std::size_t kCalls = 1'024;

}  // namespace

// One call under way, until its answer has come or its client has gone.
class OldPeerRequests::State::Running final : private http::ExchangeEvents {
 public:
  Running(State& state, std::uint64_t id, http::Exchange exchange, const PublicKey& peer, std::string envelope,
          BodyGate::Ticket ticket, AnswerHandler handler)
      : state_{state},
        id_{id},
        peer_{peer},
        ticket_{std::move(ticket)},
        handler_{std::move(handler)},
        exchange_{std::move(exchange)},
        call_{state.config, state.host,          state.answers,
              peer,         std::move(envelope), [this](Result<Bytes> answer) { finish(std::move(answer)); }} {
    exchange_.set_events(this);
    ++state_.calls_to[peer_];
  }
  ~Running() {
    const auto count = state_.calls_to.find(peer_);
    if (--count->second == 0) state_.calls_to.erase(count);
  }

 private:
  void on_aborted(const Error&) override { state_.calls.erase(id_); }

  void finish(Result<Bytes> answer) {
    const auto self = state_.calls.extract(id_);
    exchange_.set_events(nullptr);
    if (answer) return handler_(std::move(exchange_), *answer);
    if (answer.error().is(Errc::limit_reached)) return respond_busy(exchange_, answer.error().text());
    exchange_.respond_error(502, answer.error().text());
  }

  State& state_;
  const std::uint64_t id_;
  const PublicKey peer_;
  BodyGate::Ticket ticket_;  // of the request's body
  AnswerHandler handler_;
  http::Exchange exchange_;
  OldPeerCall call_;
};

OldPeerRequests::State::State(const OldPeerConfig& old_peer_config, Host& node)
    : config{old_peer_config},
      host{node},
      requests{kBodyBytes, node.executor()},
      answers{kBodyBytes, node.executor()},
      uploads{requests, old_peer_config.max_message_size} {}

// Calls look back at their state.
OldPeerRequests::State::~State() { calls.clear(); }

void OldPeerRequests::State::receive(http::Exchange exchange, UploadHandler handler) {
  const auto client = exchange.client().key.value_or(host.our_key());
  uploads.receive(std::move(exchange), client, {}, std::move(handler));
}

void OldPeerRequests::State::call(http::Exchange exchange, const PublicKey& peer, std::string envelope,
                                  BodyGate::Ticket ticket, AnswerHandler handler) {
  if (envelope.size() > config.max_message_size) {
    exchange.respond_error(413,
                           fmt::format("Message size {} exceeds maximum {}", envelope.size(), config.max_message_size));
    return;
  }
  const auto to_peer = calls_to.find(peer);
  if (calls.size() >= kCalls || (to_peer != calls_to.end() && to_peer->second >= kCallsPerPeer)) {
    return respond_busy(exchange, "Too many requests to this peer are under way");
  }
  const auto id = next_call++;
  calls.emplace(id, std::make_unique<Running>(*this, id, std::move(exchange), peer, std::move(envelope),
                                              std::move(ticket), std::move(handler)));
}

void respond_json(http::Exchange& exchange, std::string_view json, http::Headers headers) {
  headers.set("Content-Type", "application/json");
  headers.set("Content-Security-Policy", "sandbox; default-src 'none'");
  headers.set("X-Content-Type-Options", "nosniff");
  exchange.respond(200, headers, Buffer::copy_of(as_bytes(json)));
}

}  // namespace axl::bridge
