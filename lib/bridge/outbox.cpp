#include "bridge/outbox.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace axl::bridge {

namespace {

constexpr Duration kFirstPause{std::chrono::seconds{1}};
constexpr Duration kLongestPause{std::chrono::seconds{15}};
constexpr std::size_t kAtOnce = 16;
constexpr std::size_t kOverhead = 256;  // what an entry costs besides its body

// What no repetition will change.
bool is_final(const Error& error) {
  return error.is(Errc::too_large) || error.is(Errc::invalid_argument) || error.is(Errc::already_exists) ||
         error.is(Errc::key_mismatch);
}

bool is_unknown(const Error& error) { return error.is(Errc::delivery_unknown) || error.is(Errc::timed_out); }

}  // namespace

std::string_view to_string(Outbox::State state) noexcept {
  switch (state) {
    case Outbox::State::waiting: return "waiting";
    case Outbox::State::sending: return "sending";
    case Outbox::State::delivered: return "delivered";
    case Outbox::State::handed_over: return "handed_over";
    case Outbox::State::expired: return "expired";
    case Outbox::State::refused: return "refused";
    case Outbox::State::given_up: break;
  }
  return "given_up";
}

Outbox::Outbox(Limits limits, Scheduler& scheduler, Send send, std::function<bool(const PublicKey&)> is_old)
    : limits_{limits},
      scheduler_{scheduler},
      send_{std::move(send)},
      is_old_{std::move(is_old)},
      timer_{scheduler.make_timer([this] { on_timer(); })} {}

Outbox::~Outbox() = default;

Result<void> Outbox::add(const PublicKey& peer, Duration keep, MessageBody body, SendOptions options,
                         SendHandler done) {
  const auto [begin, end] = by_id_.equal_range(options.id);
  for (auto same = begin; same != end; ++same) {
    const auto& entry = entries_.at(same->second);
    if (entry.item.peer != peer) continue;
    const bool repeated = std::ranges::equal(entry.body.span(), body.span()) && !done;
    if (repeated) return {};
    return Error{Errc::already_exists, "a message with this id waits for this peer"};
  }
  const auto cost = body.size() + kOverhead;
  if (cost > limits_.bytes) return Error{Errc::too_large, "the message is larger than the outbox"};
  if (entries_.size() >= limits_.messages || cost > limits_.bytes - std::min(bytes_, limits_.bytes)) {
    return Error{Errc::limit_reached, "the outbox is full"};
  }
  const auto number = next_++;
  const auto now = scheduler_.now();
  by_id_.emplace(options.id, number);
  bytes_ += cost;
  Item item{
      .id = options.id, .peer = peer, .bytes = body.size(), .queued = now, .expires = now + keep, .last_error = {}};
  entries_.emplace_hint(
      entries_.end(), number,
      Entry{.item = std::move(item), .body = std::move(body), .options = std::move(options), .done = std::move(done)});
  peers_[peer].entries.insert(number);
  scheduler_.executor().post([this, peer, alive = std::weak_ptr<bool>{alive_}] {
    if (!alive.lock()) return;
    run(peer);
    arm();
  });
  return {};
}

void Outbox::stop() {
  stopped_ = true;
  timer_->cancel();
}

// Begins what may begin for one peer, in order.
void Outbox::run(const PublicKey& key) {
  const auto found = peers_.find(key);
  if (found == peers_.end() || stopped_ || scheduler_.now() < found->second.next_attempt) return;
  const auto numbers = found->second.entries;  // ending one changes them
  for (const auto number : numbers) {
    const auto peer = peers_.find(key);
    if (peer == peers_.end() || peer->second.sending >= peer->second.at_once) return;
    const auto entry = entries_.find(number);
    if (entry == entries_.end() || entry->second.item.state == State::sending) continue;
    if (entry->second.may_have_arrived && is_old_(key)) {
      end(entry, State::handed_over, Error{Errc::delivery_unknown, "the peer takes no receipts any more"});
      continue;
    }
    attempt(entry);
  }
}

void Outbox::attempt(Entries::iterator entry) {
  auto& item = entry->second.item;
  item.state = State::sending;
  ++item.attempts;
  ++peers_.at(item.peer).sending;
  auto options = entry->second.options;
  options.retry_for = {};
  send_(item.peer, entry->second.body, std::move(options), entry->second.may_have_arrived,
        [this, number = entry->first, alive = std::weak_ptr<bool>{alive_}](Result<SendReport> result) {
          if (alive.lock()) on_result(number, std::move(result));
        });
}

void Outbox::on_result(Number number, Result<SendReport> result) {
  const auto entry = entries_.find(number);
  if (entry == entries_.end()) return;  // given up
  auto& item = entry->second.item;
  const auto key = item.peer;
  auto& peer = peers_.at(key);
  --peer.sending;
  item.state = State::waiting;
  const auto now = scheduler_.now();
  if (result) {
    peer.at_once = kAtOnce;
    peer.pause = {};
    peer.next_attempt = {};
    const bool sure = result->delivery == Delivery::queued;
    end(entry, sure ? State::delivered : State::handed_over, std::move(result));
  } else {
    const auto& error = result.error();
    item.last_error = error.text();
    if (is_unknown(error)) entry->second.may_have_arrived = true;
    if (is_final(error)) {
      end(entry, State::refused, std::move(result));
    } else if (is_unknown(error) && is_old_(key)) {
      end(entry, State::handed_over, std::move(result));
    } else {
      peer.at_once = 1;
      peer.pause = peer.pause == Duration{} ? kFirstPause : std::min(peer.pause * 2, kLongestPause);
      peer.next_attempt = now + peer.pause;
      if (item.expires <= now) end(entry, State::expired, std::move(result));
    }
  }
  run(key);
  arm();
}

void Outbox::end(Entries::iterator entry, State state, Result<SendReport> result) {
  auto node = entries_.extract(entry);
  auto& item = node.mapped().item;
  const auto peer = peers_.find(item.peer);
  if (item.state == State::sending) --peer->second.sending;
  peer->second.entries.erase(node.key());
  if (peer->second.entries.empty()) peers_.erase(peer);
  const auto [begin, last] = by_id_.equal_range(item.id);
  by_id_.erase(std::find_if(begin, last, [&node](const auto& name) { return name.second == node.key(); }));
  bytes_ -= node.mapped().body.size() + kOverhead;
  item.state = state;
  outcomes_.push_back(std::move(item));
  if (outcomes_.size() > limits_.outcomes) outcomes_.pop_front();
  if (!node.mapped().done) return;
  scheduler_.executor().post(
      [done = std::move(node.mapped().done), result = std::move(result)]() mutable { done(std::move(result)); });
}

bool Outbox::give_up(std::string_view id) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return false;
  const auto entry = entries_.find(found->second);
  const auto peer = entry->second.item.peer;
  end(entry, State::given_up, Error{Errc::closed, "given up"});
  run(peer);  // its turn is another's now
  arm();
  return true;
}

void Outbox::on_timer() {
  const auto now = scheduler_.now();
  std::vector<Number> late;
  for (const auto& [number, entry] : entries_) {
    if (entry.item.expires <= now && entry.item.state != State::sending) late.push_back(number);
  }
  for (const auto number : late) {
    const auto entry = entries_.find(number);
    const auto text = entry->second.item.last_error;
    const auto code = entry->second.may_have_arrived ? Errc::delivery_unknown : Errc::unreachable;
    end(entry, State::expired, Error{code, text.empty() ? "the peer did not take the message in time" : text});
  }
  std::vector<PublicKey> keys;
  for (const auto& [key, peer] : peers_) keys.push_back(key);
  for (const auto& key : keys) run(key);
  arm();
}

// One timer for all: at the next pause's end or the next expiry. At most `messages` entries are looked at.
void Outbox::arm() {
  std::optional<Time> next;
  const auto sooner = [&next](Time at) { next = next ? std::min(*next, at) : at; };
  const auto now = scheduler_.now();
  for (const auto& [key, peer] : peers_) {
    if (peer.next_attempt > now && peer.sending < peer.at_once) sooner(peer.next_attempt);
  }
  for (const auto& [number, entry] : entries_) {
    if (entry.item.state != State::sending) sooner(entry.item.expires);
  }
  if (next && !stopped_) {
    timer_->arm(*next);
  } else {
    timer_->cancel();
  }
}

std::vector<Outbox::Item> Outbox::waiting() const {
  std::vector<Item> out;
  out.reserve(entries_.size());
  for (const auto& [number, entry] : entries_) out.push_back(entry.item);
  return out;
}

std::optional<Outbox::Item> Outbox::find(std::string_view id) const {
  if (const auto found = by_id_.find(id); found != by_id_.end()) return entries_.at(found->second).item;
  for (auto item = outcomes_.rbegin(); item != outcomes_.rend(); ++item) {
    if (item->id == id) return *item;
  }
  return {};
}

}  // namespace axl::bridge
