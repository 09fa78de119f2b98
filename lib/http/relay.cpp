#include "http/relay.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "http/forwarding.hpp"
#include "http/status.hpp"
#include "http/text.hpp"

namespace axl::http {

namespace {

constexpr std::size_t kKeepAtMost = 16UL * 1024;
constexpr std::size_t kFirst = 64UL * 1024;

// Doing it twice is the same as doing it once.
bool may_repeat(std::string_view method) noexcept {
  constexpr std::array<std::string_view, 4> methods{"GET", "HEAD", "DELETE", "OPTIONS"};
  return std::find(methods.begin(), methods.end(), method) != methods.end();
}

}  // namespace

class Relays::Relay {
 public:
  Relay(Relays& relays, std::uint64_t id, Exchange exchange, std::shared_ptr<Upstream> upstream, RelayRequest request,
        const RelayLimits& limits, std::unique_ptr<RelayEvents> events);
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;
  ~Relay();

  void begin();
  /// When silence has lasted too long, if nothing moves until then.
  [[nodiscard]] std::optional<Time> due() const;
  void on_timer();

 private:
  void acquire(bool fresh);
  // Both sides have events of the same names.
  struct ClientSide final : ExchangeEvents {
    explicit ClientSide(Relay& relay) noexcept : relay_{relay} {}
    void on_body(Buffer piece) override { relay_.on_request_body(std::move(piece)); }
    void on_body_end() override { relay_.on_request_end(); }
    void on_writable() override { relay_.on_answer_room(); }
    void on_part_sent() override { relay_.on_answer_room(); }
    void on_client_ended() override { relay_.on_client_ended(); }
    void on_aborted(const Error& /*error*/) override { relay_.end(false); }
    Relay& relay_;
  };
  struct ServerSide final : ResponseEvents {
    explicit ServerSide(Relay& relay) noexcept : relay_{relay} {}
    void on_response(const ResponseHead& head) override { relay_.on_response(head); }
    void on_body(Buffer piece) override { relay_.on_answer_body(std::move(piece)); }
    void on_complete() override { relay_.on_answer_end(); }
    void on_failed(const Error& error, Delivery delivery) override { relay_.on_failed(error, delivery); }
    void on_writable() override { relay_.on_request_room(); }
    Relay& relay_;
  };
  enum class Answer : std::uint8_t { awaited, gathering, begun };

  void on_lease(Result<std::unique_ptr<Lease>> lease);
  void send_request(Buffer piece);
  void finish_request();
  void on_request_body(Buffer piece);
  void on_request_end();
  void on_request_room();
  void on_client_ended();

  void on_response(const ResponseHead& head);
  void on_answer_body(Buffer piece);
  void on_answer_end();
  void on_answer_room();
  void begin_answer();
  void write_answer(Buffer piece);

  void on_failed(const Error& error, Delivery delivery);
  [[nodiscard]] bool may_retry(const Error& error, Delivery delivery) const;
  void fail(const Error& error, Delivery delivery);
  void end(bool whole);

  [[nodiscard]] ClientConnection& connection() { return lease_->connection(); }
  [[nodiscard]] Time now() const { return relays_.scheduler_.now(); }
  /// Counts what is held beyond the first bytes. False: all together hold too much.
  bool count(std::size_t& beyond, std::size_t held);
  void start_clock(std::optional<Duration> limit);
  void touch();
  /// Calls `call`; false if this object is gone then.
  template <class Call>
  bool survives(Call call);

  Relays& relays_;
  const std::uint64_t id_;
  ClientSide client_side_{*this};
  ServerSide server_side_{*this};
  Exchange exchange_;
  const std::shared_ptr<Upstream> upstream_;
  const RelayRequest texts_;  // what request_ views
  Request request_;
  const RelayLimits limits_;
  std::unique_ptr<RelayEvents> events_;
  std::unique_ptr<Upstream::Waiting> waiting_;
  std::unique_ptr<Lease> lease_;
  bool* destroyed_ = nullptr;

  std::optional<std::uint64_t> length_;  // of the request's body
  std::optional<RequestId> sent_;        // once the request's head has been given to the connection
  Buffer held_;                          // the body's first piece, while a second connection is sought
  Buffer kept_;                          // a copy of a small whole body, while the connection may turn out to be stale
  bool request_paused_ = false;     // the server does not keep up
  std::size_t request_beyond_ = 0;  // bytes of it, as counted last
  bool retried_ = false;
  bool body_begun_ = false;  // the body is being read, or has been
  bool body_ended_ = false;  // it has come in whole
  bool finished_ = false;    // it has been given to the connection in whole

  Answer answer_ = Answer::awaited;
  int status_ = 0;
  Headers headers_;
  std::optional<std::uint64_t> answer_length_;
  Buffer gathered_;
  std::size_t gather_limit_ = 0;
  bool answer_paused_ = false;  // the client does not keep up
  std::size_t answer_beyond_ = 0;

  std::optional<Duration> silence_;  // if there is a time-out
  Time last_moved_{};
  std::size_t unsent_seen_ = 0;
};

Relays::Relay::Relay(Relays& relays, std::uint64_t id, Exchange exchange, std::shared_ptr<Upstream> upstream,
                     RelayRequest request, const RelayLimits& limits, std::unique_ptr<RelayEvents> events)
    : relays_{relays},
      id_{id},
      exchange_{std::move(exchange)},
      upstream_{std::move(upstream)},
      texts_{std::move(request.method), std::move(request.target), {}},
      request_{texts_.method, texts_.target, std::move(request.headers)},
      limits_{limits},
      events_{std::move(events)},
      length_{exchange_.request().content_length},
      body_ended_{length_ == 0} {
  exchange_.set_events(&client_side_);
}

Relays::Relay::~Relay() {
  if (destroyed_ != nullptr) *destroyed_ = true;
  relays_.beyond_first_ -= request_beyond_ + answer_beyond_;
  exchange_.set_events(nullptr);
  exchange_.abort();  // unless the answer is finished
}

template <class Call>
bool Relays::Relay::survives(Call call) {
  bool destroyed = false;
  destroyed_ = &destroyed;
  call();
  if (!destroyed) destroyed_ = nullptr;
  return !destroyed;
}

// --- The request -----------------------------------------------------------------------------------------------------

// While the body is still to come nothing can fail here.
void Relays::Relay::begin() {
  if (!body_ended_ && exchange_.connected()) {
    if (auto lease = upstream_->lease_idle(exchange_.client())) return on_lease(std::move(lease));
  }
  acquire(false);
}

void Relays::Relay::acquire(bool fresh) {
  waiting_ = upstream_->acquire(exchange_.client(), fresh,
                                [this](Result<std::unique_ptr<Lease>> lease) { on_lease(std::move(lease)); });
}

// The body is not touched before there is a connection: without one, another way may still be tried with it.
void Relays::Relay::on_lease(Result<std::unique_ptr<Lease>> lease) {
  waiting_.reset();
  if (!exchange_.connected() || (exchange_.client_ended() && body_ended_)) return end(false);
  if (!lease) return fail(lease.error(), Delivery::not_sent);
  lease_ = *std::move(lease);
  start_clock(limits_.answer_timeout);
  if (body_begun_) {
    exchange_.resume_reading();
  } else if (!body_ended_) {
    body_begun_ = true;
    exchange_.read_body();
  }
  if (body_ended_ || !held_.empty()) send_request(std::exchange(held_, Buffer{}));
}

// The head waits for the first piece of the body: most bodies are one piece, and go with their head.
void Relays::Relay::send_request(Buffer piece) {
  if (!connection().usable()) {
    held_ = std::move(piece);
    return on_failed(Error{Errc::closed, "the server closed the connection"}, Delivery::not_sent);
  }
  const bool whole = length_ ? *length_ == piece.size() : body_ended_;
  if (whole && lease_->reused() && piece.size() <= kKeepAtMost) kept_ = Buffer::copy_of(piece);
  const auto id = whole ? connection().send(request_, std::move(piece), server_side_)
                        : connection().begin(request_, length_, server_side_);
  if (!id) return fail(id.error(), Delivery::not_sent);
  sent_ = *id;
  finished_ = whole;
  if (whole) return;
  if (!piece.empty()) on_request_body(std::move(piece));
  if (body_ended_) finish_request();
}

void Relays::Relay::on_request_body(Buffer piece) {
  touch();
  if (!lease_) {  // another connection is sought
    if (held_.empty()) {
      held_ = std::move(piece);
    } else {
      held_.append(piece);
    }
    exchange_.pause_reading();
    return;
  }
  if (!sent_) return send_request(std::move(piece));
  connection().write(*sent_, std::move(piece));
  const bool may_hold = count(request_beyond_, connection().unsent());
  if (request_paused_ || connection().writable(*sent_, may_hold ? SIZE_MAX : kFirst)) return;
  request_paused_ = true;
  exchange_.pause_reading();
}

void Relays::Relay::on_request_end() {
  body_ended_ = true;
  touch();
  if (exchange_.client_ended()) return end(false);
  if (!lease_ || finished_) return;
  if (sent_) return finish_request();
  send_request(Buffer{});
}

void Relays::Relay::finish_request() {
  if (!std::exchange(finished_, true)) connection().finish(*sent_);
}

void Relays::Relay::on_request_room() {
  touch();
  request_paused_ = false;
  count(request_beyond_, connection().unsent());
  exchange_.resume_reading();
}

void Relays::Relay::on_client_ended() {
  if (body_ended_) end(false);
}

bool Relays::Relay::count(std::size_t& beyond, std::size_t held) {
  relays_.beyond_first_ -= beyond;
  beyond = held - std::min(held, kFirst);
  relays_.beyond_first_ += beyond;
  return beyond == 0 || relays_.beyond_first_ <= relays_.most_beyond_first_;
}

// --- The answer ------------------------------------------------------------------------------------------------------

void Relays::Relay::on_response(const ResponseHead& head) {
  touch();
  kept_ = {};
  status_ = head.status;
  headers_ = std::move(relays_.spare_);
  headers_.clear();
  const ConnectionNames named{head.headers};
  bool length_known = false;
  headers_.add_from(head.headers, [&](const Headers::Line& line) {
    if (is_hop_by_hop(line.name) || named.contains(line.name)) return false;
    const bool length = equal_ignoring_case(line.name, "Content-Length");
    length_known = length_known || length;
    return !length;
  });
  answer_length_ = head.content_length;
  const bool bodiless = exchange_.request().is("HEAD") || !status_has_body(status_);
  if (bodiless && !length_known) answer_length_.reset();
  std::optional<std::size_t> limit;
  if (!survives([&] { limit = events_->on_response(head, headers_); })) return;
  if (limit && !bodiless && answer_length_.value_or(0) <= *limit) {
    answer_ = Answer::gathering;
    gather_limit_ = *limit;
  } else {
    begin_answer();
  }
}

void Relays::Relay::begin_answer() {
  answer_ = Answer::begun;
  exchange_.start(status_, headers_, answer_length_);
  relays_.spare_ = std::move(headers_);
  start_clock(limits_.idle_timeout);
}

void Relays::Relay::on_answer_body(Buffer piece) {
  touch();
  if (answer_ == Answer::gathering) {
    if (piece.size() <= gather_limit_ - gathered_.size()) {
      if (gathered_.empty()) {
        gathered_ = std::move(piece);
      } else {
        gathered_.append(piece);
      }
      return;
    }
    begin_answer();
    write_answer(std::exchange(gathered_, Buffer{}));
  }
  write_answer(std::move(piece));
}

void Relays::Relay::write_answer(Buffer piece) {
  exchange_.write(std::move(piece));
  const bool may_hold = count(answer_beyond_, exchange_.unsent());
  if (answer_paused_ || (may_hold && !exchange_.busy() && exchange_.writable())) return;
  answer_paused_ = true;
  connection().pause_reading(*sent_);
  exchange_.watch_sent(exchange_.written() - exchange_.unsent() / 2);
}

void Relays::Relay::on_answer_room() {
  if (!answer_paused_ || !lease_) return;
  answer_paused_ = false;
  count(answer_beyond_, exchange_.unsent());
  touch();
  connection().resume_reading(*sent_);
}

void Relays::Relay::on_answer_end() {
  if (answer_ == Answer::gathering) {
    Buffer body;
    if (!survives([&] { body = events_->on_body(headers_, std::move(gathered_)); })) return;
    exchange_.respond(status_, headers_, std::move(body));
  } else {
    exchange_.finish();
  }
  end(exchange_.finished());
}

// --- The end ---------------------------------------------------------------------------------------------------------

void Relays::Relay::on_failed(const Error& error, Delivery delivery) {
  if (answer_ == Answer::begun) return end(false);
  const bool again = may_retry(error, delivery);
  lease_.reset();
  if (!again) return fail(error, delivery);
  retried_ = true;
  sent_.reset();
  finished_ = false;
  if (!kept_.empty()) held_ = std::move(kept_);
  if (body_begun_ && !body_ended_) exchange_.pause_reading();
  acquire(true);
}

bool Relays::Relay::may_retry(const Error& error, Delivery delivery) const {
  if (retried_ || !lease_->reused() || answer_ != Answer::awaited || delivery == Delivery::answered) return false;
  if (!sent_) return true;
  if (length_ != 0 && kept_.empty()) return false;  // the body is no longer ours
  if (delivery == Delivery::not_sent) return true;
  const bool bytes_came = error.is(Errc::malformed) || error.is(Errc::too_large);
  return !bytes_came && !error.is(Errc::timed_out) && may_repeat(texts_.method);
}

void Relays::Relay::fail(const Error& error, Delivery delivery) {
  exchange_.set_events(nullptr);
  auto exchange = std::move(exchange_);
  const auto events = std::move(events_);
  const bool untouched = !body_begun_;
  const auto why = error;  // it may be a part of what goes now
  relays_.relays_.erase(id_);
  events->on_failed(std::move(exchange), why, delivery, untouched);
}

void Relays::Relay::end(bool whole) {
  const auto events = std::move(events_);
  relays_.relays_.erase(id_);
  events->on_end(whole);
}

// --- Time ------------------------------------------------------------------------------------------------------------

// Moving bytes do not move the timer: it looks, when it fires, how long ago the last one came.
void Relays::Relay::start_clock(std::optional<Duration> limit) {
  silence_ = limit;
  if (!limit) return;
  last_moved_ = now();
  relays_.look_at(last_moved_ + *limit);
}

std::optional<Time> Relays::Relay::due() const {
  return silence_ && lease_ ? std::optional{last_moved_ + *silence_} : std::nullopt;
}

void Relays::Relay::touch() {
  if (silence_) last_moved_ = now();
}

void Relays::Relay::on_timer() {
  const auto unsent = connection().unsent();
  if (answer_paused_ || unsent != unsent_seen_) touch();  // we are the ones who wait, or something still moves
  unsent_seen_ = unsent;
  if (now() - last_moved_ < *silence_) return relays_.look_at(last_moved_ + *silence_);
  if (answer_ == Answer::begun) return end(false);
  lease_.reset();
  const auto delivery = !sent_ ? Delivery::not_sent : finished_ ? Delivery::unknown : Delivery::incomplete;
  fail(Error{Errc::timed_out, "the server did not answer in time"}, delivery);
}

// --- All of them -----------------------------------------------------------------------------------------------------

Relays::Relays(Scheduler& scheduler, std::size_t most_beyond_first)
    : scheduler_{scheduler}, most_beyond_first_{most_beyond_first} {}

Relays::~Relays() {
  if (destroyed_ != nullptr) *destroyed_ = true;
}

void Relays::look_at(Time due) {
  if (armed_ && *armed_ <= due) return;
  if (!timer_) timer_ = scheduler_.make_timer([this] { on_timer(); });
  armed_ = due;
  timer_->arm(due);
}

void Relays::on_timer() {
  armed_.reset();
  const auto now = scheduler_.now();
  std::vector<std::uint64_t> late;
  std::optional<Time> next;
  for (const auto& [id, relay] : relays_) {
    const auto due = relay->due();
    if (!due) continue;
    if (*due <= now) {
      late.push_back(id);
    } else {
      next = std::min(next.value_or(*due), *due);
    }
  }
  if (next) look_at(*next);
  bool destroyed = false;
  destroyed_ = &destroyed;
  for (const auto id : late) {
    const auto found = relays_.find(id);
    if (found != relays_.end()) found->second->on_timer();
    if (destroyed) return;
  }
  destroyed_ = nullptr;
}

void Relays::carry(Exchange exchange, std::shared_ptr<Upstream> upstream, RelayRequest request,
                   const RelayLimits& limits, std::unique_ptr<RelayEvents> events) {
  const auto id = next_++;
  auto relay = std::make_unique<Relay>(*this, id, std::move(exchange), std::move(upstream), std::move(request), limits,
                                       std::move(events));
  relays_.emplace(id, std::move(relay)).first->second->begin();
}

std::size_t Relays::under_way() const noexcept { return relays_.size(); }

}  // namespace axl::http
