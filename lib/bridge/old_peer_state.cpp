#include "bridge/old_peer_state.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "bridge/reply.hpp"

namespace axl::bridge {

namespace {

constexpr std::size_t kBodyBytes = 256UL * 1024 * 1024;
/// At once: an old peer takes 128 connections in all. A client may have more calls than that under way, so the others
/// wait for their turn, for as long as an answer may take.
constexpr std::size_t kCallsPerPeer = 64;
constexpr std::size_t kWaitingPerPeer = 448;
constexpr std::size_t kCalls = 1'024;
constexpr std::string_view kBusy = "Too many requests to this peer are under way";

}  // namespace

// One call, waiting or under way, until its answer has come or its client has gone.
class OldPeerRequests::State::Running final : private http::ExchangeEvents {
 public:
  Running(State& state, std::uint64_t id, http::Exchange exchange, const PublicKey& peer, std::string envelope,
          BodyGate::Ticket ticket, AnswerHandler handler)
      : state_{state},
        id_{id},
        peer_{peer},
        ticket_{std::move(ticket)},
        envelope_{std::move(envelope)},
        handler_{std::move(handler)},
        exchange_{std::move(exchange)},
        patience_{state.host.make_timer([this] { finish(Error{Errc::limit_reached, std::string{kBusy}}); })} {
    exchange_.set_events(this);
    patience_->arm(state.host.now() + state.config.answer_timeout);
    state_.lanes[peer_].waiting.push_back(this);
  }
  ~Running() {
    auto& lane = state_.lanes[peer_];
    if (call_) {
      --lane.started;
    } else {
      std::erase(lane.waiting, this);
    }
    state_.start_waiting(peer_);
  }

  void start() {
    patience_->cancel();
    call_.emplace(state_.config, state_.host, state_.answers, peer_, std::move(envelope_),
                  [this](Result<MessageBody> answer) { finish(std::move(answer)); });
  }

 private:
  void on_aborted(const Error&) override { state_.calls.erase(id_); }

  void finish(Result<MessageBody> answer) {
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
  std::string envelope_;     // until it starts
  AnswerHandler handler_;
  http::Exchange exchange_;
  std::unique_ptr<Timer> patience_;  // while it waits
  std::optional<OldPeerCall> call_;
};

OldPeerRequests::State::State(const OldPeerConfig& old_peer_config, Host& node)
    : config{old_peer_config},
      host{node},
      requests{kBodyBytes, node.executor()},
      answers{kBodyBytes, node.executor()},
      uploads{requests, old_peer_config.max_message_size} {}

// Calls look back at their state.
OldPeerRequests::State::~State() {
  for (auto& [peer, lane] : lanes) lane.waiting.clear();  // nobody starts any more
  calls.clear();
}

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
  const auto lane = lanes.find(peer);
  if (calls.size() >= kCalls || (lane != lanes.end() && lane->second.waiting.size() >= kWaitingPerPeer)) {
    return respond_busy(exchange, kBusy);
  }
  const auto id = next_call++;
  calls.emplace(id, std::make_unique<Running>(*this, id, std::move(exchange), peer, std::move(envelope),
                                              std::move(ticket), std::move(handler)));
  start_waiting(peer);
}

void OldPeerRequests::State::start_waiting(const PublicKey& peer) {
  const auto found = lanes.find(peer);
  auto& [started, waiting] = found->second;
  while (started < kCallsPerPeer && !waiting.empty()) {
    auto* const next = waiting.front();
    waiting.pop_front();
    ++started;
    next->start();
  }
  if (started == 0 && waiting.empty()) lanes.erase(found);
}

void respond_json(http::Exchange& exchange, std::string_view json, http::Headers headers) {
  headers.set("Content-Type", "application/json");
  headers.set("Content-Security-Policy", "sandbox; default-src 'none'");
  headers.set("X-Content-Type-Options", "nosniff");
  exchange.respond(200, headers, Buffer::copy_of(as_bytes(json)));
}

}  // namespace axl::bridge
