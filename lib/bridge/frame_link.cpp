#include "bridge/frame_link.hpp"

#include <algorithm>

#include "router/frame_reader.hpp"

namespace axl::bridge {

namespace {
constexpr std::size_t kMaxCarried = 64;
constexpr std::size_t kMaxCarriedBytes = 256 * 1024;  // more only by a single message
constexpr std::size_t kPiece = 64 * 1024;
}  // namespace

FrameLink::FrameLink(std::unique_ptr<Stream> stream, LinkOwner& owner) : stream_{std::move(stream)}, owner_{owner} {
  stream_->set_handler(this);
}

FrameLink::~FrameLink() { stream_->set_handler(nullptr); }

bool FrameLink::has_room() const {
  return carried_.empty() || (carried_.size() < kMaxCarried && carried_bytes_ < kMaxCarriedBytes);
}

std::unique_ptr<OutgoingMessage> FrameLink::give(std::unique_ptr<OutgoingMessage> message) {
  if (!usable()) return message;
  carried_bytes_ += message->body.size();
  carried_.push_back({.message = std::move(message)});
  write_more();
  return nullptr;
}

void FrameLink::write_more() {
  for (auto& item : carried_) {
    const auto body = item.message->body.span();
    const auto total = router::kFrameHeaderSize + body.size();
    while (item.written < total) {
      if (stream_->unsent() > stream_->high_mark()) return;
      const auto from = item.written == 0 ? 0 : item.written - router::kFrameHeaderSize;
      const auto piece = body.subspan(from, std::min(kPiece, body.size() - from));
      Buffer out{0, 0, router::kFrameHeaderSize + piece.size()};
      if (item.written == 0) out.append(router::frame_header(body.size()));
      out.append(piece);
      item.written += out.size();
      written_ += out.size();
      stream_->write(std::move(out));
    }
    if (item.end_offset == 0) item.end_offset = written_;
  }
}

// Reports what the peer's TCP has acknowledged in full, in order.
void FrameLink::settle() {
  const auto acknowledged = written_ - stream_->unsent();
  while (!carried_.empty() && carried_.front().end_offset != 0 && carried_.front().end_offset <= acknowledged) {
    auto item = std::move(carried_.front());
    carried_.pop_front();
    carried_bytes_ -= item.message->body.size();
    if (ended_) {
      owner_.on_attempt(std::move(item.message), {.end = Attempt::End::lost_maybe,
                                                  .error = Error{Errc::closed, "the peer ended the connection"}});
    } else {
      owner_.on_attempt(std::move(item.message), {.end = Attempt::End::delivered, .delivery = Delivery::accepted});
    }
  }
}

void FrameLink::lose_all(const Error& error) {
  auto lost = std::exchange(carried_, {});
  carried_bytes_ = 0;
  for (auto& item : lost) {
    const auto end = item.written == 0 ? Attempt::End::lost : Attempt::End::lost_maybe;
    owner_.on_attempt(std::move(item.message), {.end = end, .error = error});
  }
}

// An old peer answers envelopes; a message that looks like one may get an answer nobody asked for.
void FrameLink::on_data(Buffer) {}

void FrameLink::on_end() {
  ended_ = true;
  settle();
  owner_.on_link_change();
}

void FrameLink::on_writable() {
  settle();
  write_more();
  owner_.on_link_change();
}

void FrameLink::on_drained() { on_writable(); }

void FrameLink::on_closed(const Error* error) {
  open_ = false;
  lose_all(error != nullptr ? *error : Error{Errc::closed, "the peer closed the connection"});
  owner_.on_link_change();
}

void FrameLink::on_tick(Time now) {
  settle();
  if (carried_.empty() || carried_.front().message->deadline > now || closing_) return;
  close();
  lose_all(Error{Errc::timed_out, "the peer did not take the message in time"});
}

void FrameLink::close() {
  if (std::exchange(closing_, true) || !open_) return;
  stream_->close();
}

}  // namespace axl::bridge
