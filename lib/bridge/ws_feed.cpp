#include "bridge/ws_feed.hpp"

#include <algorithm>
#include <utility>

#include "bridge/ws_message.hpp"
#include "router/lanes.hpp"

namespace axl::bridge {

namespace {

constexpr std::size_t kPiece = 64UL * 1024;  // of a body: one fragment, so that Pings are answered between them

}  // namespace

WsFeed::WsFeed(http::WebSocket& socket, RecvRequest request, Inbox& inbox, Scheduler& scheduler, bool legacy_peer_id,
               std::function<void()> changed)
    : socket_{socket},
      request_{std::move(request)},
      inbox_{inbox},
      scheduler_{scheduler},
      legacy_peer_id_{legacy_peer_id},
      changed_{std::move(changed)},
      timer_{scheduler.make_timer([this] { on_lease_end(); })} {}

// A lease that has ended is no longer ours: somebody else may have the message.
WsFeed::~WsFeed() {
  if (waiting_) inbox_.stop_waiting(*waiting_);
  if (taken_) inbox_.put_back(taken_->entry);
  for (const auto& given : on_its_way_) inbox_.put_back(given.entry);
  for (const auto& given : leased_) {
    if (given.leased_until > scheduler_.now()) inbox_.put_back(given.entry);
  }
}

void WsFeed::stop() {
  stopped_ = true;
  if (waiting_) inbox_.stop_waiting(*std::exchange(waiting_, std::nullopt));
}

void WsFeed::go_on() {
  while (true) {
    if (taken_ && !write_body()) return;
    const bool full = on_its_way_.size() + leased_.size() >= kWindow;
    if (stopped_ || full || !socket_.writable() || !begin_next()) return;
  }
}

bool WsFeed::begin_next() {
  if (waiting_) return false;
  const auto taken = inbox_.queue().take(request_.wanted);
  if (!taken) {
    waiting_ = inbox_.wait_for_message(request_.wanted, [this] {
      waiting_.reset();
      go_on();
      changed_();
    });
    return false;
  }
  if (request_.ack) inbox_.queue().allow_confirm(taken->id);
  const auto& message = *taken->message;
  taken_ = Given{.entry = taken->id, .id = message.id, .sender = message.sender};
  body_ = message.body;  // shared: it outlives the entry, should the client confirm it early
  written_ = std::min(kPiece, body_.size());
  const auto shown = legacy_peer_id_ ? message.address.partial_key() : message.sender;
  socket_.send_binary(encode_ws_head(shown, message.id, message.topic), body_.span().first(written_),
                      written_ == body_.size());
  return true;
}

// False while the connection takes no more of it.
bool WsFeed::write_body() {
  while (written_ < body_.size()) {
    if (!socket_.writable()) return false;
    const auto piece = body_.span().subspan(written_, std::min(kPiece, body_.size() - written_));
    written_ += piece.size();
    socket_.send_more(piece, written_ == body_.size());
  }
  taken_->end = socket_.written();
  on_its_way_.push_back(*std::exchange(taken_, std::nullopt));
  body_ = {};
  return true;
}

void WsFeed::settle(std::uint64_t sent) {
  while (!on_its_way_.empty() && on_its_way_.front().end <= sent) {
    auto given = std::move(on_its_way_.front());
    on_its_way_.pop_front();
    if (!request_.ack) {
      inbox_.commit(given.entry);
      continue;
    }
    inbox_.lease(given.entry, request_.lease);
    given.leased_until = scheduler_.now() + request_.lease;
    leased_.push_back(std::move(given));
  }
  arm();
}

std::optional<std::uint64_t> WsFeed::first_end() const {
  return on_its_way_.empty() ? std::nullopt : std::optional{on_its_way_.front().end};
}

router::ReceiveQueue::Confirmed WsFeed::confirm(std::string_view id, const std::optional<PublicKey>& sender) {
  const auto confirmed = inbox_.confirm(id, sender);
  if (confirmed != router::ReceiveQueue::Confirmed::yes) return confirmed;
  const auto meant = [&](const Given& given) { return given.id == id && router::selects(sender, given.sender); };
  if (const auto found = std::ranges::find_if(leased_, meant); found != leased_.end()) {
    leased_.erase(found);
  } else if (const auto early = std::ranges::find_if(on_its_way_, meant); early != on_its_way_.end()) {
    on_its_way_.erase(early);  // the client was faster than the news that it has the message
  }
  return confirmed;
}

void WsFeed::on_lease_end() {
  while (!leased_.empty() && leased_.front().leased_until <= scheduler_.now()) leased_.pop_front();
  arm();
  go_on();
  changed_();
}

void WsFeed::arm() {
  if (leased_.empty()) {
    timer_->cancel();
  } else {
    timer_->arm(leased_.front().leased_until);
  }
}

}  // namespace axl::bridge
