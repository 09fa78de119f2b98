#include "node/link_connection.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "core/pooled.hpp"

namespace axl::node {

namespace {
constexpr std::size_t kQueueHigh = 64UL * 1024;
}

LinkConnection::LinkConnection(overlay::LinkId id, link::EntryId entry, std::string uri, link::Link link,
                               std::unique_ptr<Stream> stream, Core& core, asio::io_context& context, Events events)
    : id_{id},
      entry_{entry},
      uri_{std::move(uri)},
      link_{std::move(link)},
      stream_{std::move(stream)},
      core_{core},
      events_{std::move(events)},
      timer_{context, core.clock(), [this] { on_timer(); }},
      stream_high_{stream_->high_mark()},
      queue_high_{std::min(kQueueHigh, stream_high_)} {}

LinkConnection::~LinkConnection() = default;

void LinkConnection::start() {
  stream_->set_handler(this);
  carry();
}

void LinkConnection::send(overlay::Engine::SendFrame frame) {
  if (ended_) return;
  link_.send(std::move(frame.message), {.source = frame.source, .dest = frame.dest, .own = frame.own}, core_.now());
  carry();
}

void LinkConnection::set_proven() {
  link_.set_proven(core_.now());
  carry();
}

void LinkConnection::fail(Error error) {
  link_.fail(std::move(error));
  carry();
}

void LinkConnection::on_data(Buffer data) {
  constexpr std::size_t kWorthKeeping = 4 * 1024;  // less is copied sooner than kept where it lies
  const auto all = data.span();
  std::shared_ptr<const void> owner;  // of these bytes, once a message is not to be copied
  auto rest = all;
  while (auto event = link_.read(rest, core_.now())) {
    if (std::holds_alternative<link::Link::Established>(*event)) {
      events_.established(*this);
    } else {
      const auto& message = std::get<link::Link::Message>(*event);
      const bool kept = message.bytes.size() >= kWorthKeeping && message.bytes.data() >= all.data() &&
                        message.bytes.data() < all.data() + all.size();
      if (kept && !owner) owner = std::allocate_shared<const Buffer>(Pooled<Buffer>{}, std::move(data));
      const auto taken = core_.overlay().on_message(id_, message.bytes, core_.now(), message.rtt,
                                                    kept ? owner : std::shared_ptr<const void>{});
      if (!taken) link_.fail(taken.error());
    }
  }
  carry();
  core_.turn_and_visit();
}

void LinkConnection::on_end() { fail(Error{Errc::closed, "the other side has ended the link"}); }

void LinkConnection::on_writable() { take_room(); }
void LinkConnection::on_drained() { take_room(); }

void LinkConnection::take_room() {
  carry();
  if (crowded_ && link_.queued_bytes() <= queue_high_ / 2) {
    crowded_ = false;
    core_.on_link_room();
  }
}

void LinkConnection::on_closed(const Error* error) {
  link_.fail(error != nullptr ? *error : Error{Errc::closed, "the link was closed"});
  carry();
}

// On a slow path the stream holds less. The link goes on writing when the stream says that there is room, so its marks are
// the same.
void LinkConnection::follow_stream() {
  stream_high_ = stream_->high_mark();
  link_.set_write_marks(stream_high_, stream_high_ / 2);
  queue_high_ = std::min(kQueueHigh, stream_high_);
}

// Writes what the link hands out for as long as the transport has room for it.
void LinkConnection::carry() {
  if (ended_) return;
  if (stream_->high_mark() != stream_high_) follow_stream();
  link_.on_unsent(stream_->unsent(), core_.now());
  while (auto output = link_.poll_output()) {
    if (auto* write = std::get_if<link::Link::Write>(&*output)) {
      stream_->write(std::move(write->bytes));
      link_.on_unsent(stream_->unsent(), core_.now());
    } else {
      auto& failed = std::get<link::Link::Failed>(*output);
      ended_ = true;
      error_ = std::move(failed.error);
      retry_ = failed.retry;
      timer_.disarm();
      stream_->close();
      events_.failed(*this);
      return;
    }
  }
  if (is_full()) crowded_ = true;
  if (const auto next = link_.next_tick()) {
    timer_.arm(*next);
  } else {
    timer_.disarm();
  }
}

void LinkConnection::on_timer() {
  link_.on_tick(core_.now());
  carry();
  core_.turn_soon();
}

}  // namespace axl::node
