// The writing half of a client's connection.
#include <algorithm>
#include <utility>

#include "http/client_connection.hpp"
#include "http/client_pending.hpp"
#include "http/encode.hpp"
#include "http/text.hpp"

namespace axl::http {

namespace {
constexpr std::size_t kCopyAtMost = 16 * 1024;
}

Result<RequestId> ClientConnection::send(const Request& request, Buffer body, ResponseEvents& events) {
  const auto length = body.size();
  return queue(request, std::move(body), false, length, &events, {}, {});
}

Result<RequestId> ClientConnection::send(const Request& request, Buffer body, BodyLimits limits,
                                         ResponseHandler handler) {
  const auto length = body.size();
  return queue(request, std::move(body), false, length, nullptr, limits, std::move(handler));
}

Result<RequestId> ClientConnection::begin(const Request& request, std::optional<std::uint64_t> length,
                                          ResponseEvents& events) {
  return queue(request, Buffer{}, true, length, &events, {}, {});
}

Result<RequestId> ClientConnection::queue(const Request& request, Buffer body, bool streamed,
                                          std::optional<std::uint64_t> length, ResponseEvents* events,
                                          BodyLimits limits, ResponseHandler handler) {
  if (!usable()) return Error{Errc::closed, "the connection takes no more requests"};
  if (requests_.size() >= limits_.pipeline + limits_.waiting) {
    return Error{Errc::limit_reached, "too many requests wait on this connection"};
  }
  if (!is_token(request.method) || request.target.empty() || !is_visible(request.target)) {
    return Error{Errc::invalid_argument, "not a method or target of HTTP"};
  }
  auto pending = std::make_unique<Pending>();
  pending->id = RequestId{next_id_++};
  pending->is_head = request.method == "HEAD";
  pending->streamed = streamed;
  pending->finished = !streamed;
  pending->chunked = !length;
  pending->length_left = streamed ? length.value_or(0) : 0;
  pending->events = events;
  pending->handler = std::move(handler);
  pending->limits = limits;

  Framing framing;
  const bool bodiless = length == 0 && (request.method == "GET" || request.method == "HEAD");
  if (!bodiless) framing.content_length = length;
  framing.chunked = !length;
  const bool together = body.size() <= kCopyAtMost;
  auto head = encode_request_head(request.method, request.target, request.headers, framing, together ? body.size() : 0);
  if (together) {
    head.append(body);
    pending->unsent.push_back(std::move(head));
  } else if (body.headroom() >= head.size()) {
    body.prepend(head);
    pending->unsent.push_back(std::move(body));
  } else {
    pending->unsent.push_back(std::move(head));
    pending->unsent.push_back(std::move(body));
  }
  const auto id = pending->id;
  requests_.push_back(std::move(pending));
  give_to_stream();
  return id;
}

ClientConnection::Pending* ClientConnection::find(RequestId id) noexcept {
  const auto found = std::find_if(requests_.begin(), requests_.end(), [id](const auto& r) { return r->id == id; });
  return found == requests_.end() ? nullptr : found->get();
}

// Gives requests to the stream while it has room, one after the other, each to its end.
void ClientConnection::give_to_stream() {
  if (phase_ != Phase::open || last_answer_ || ended_) return;
  while (true) {
    if (given_ > 0 && !requests_[given_ - 1]->complete) {
      hand_to_stream(*requests_[given_ - 1]);
      if (!requests_[given_ - 1]->complete) return;
    }
    if (given_ == requests_.size() || given_ >= limits_.pipeline) return;
    if (stream_->unsent() > stream_->high_mark()) return;
    if (given_ == 0) last_progress_ = now_;
    requests_[given_]->begins = written_;
    ++given_;
  }
}

void ClientConnection::hand_to_stream(Pending& request) {
  while (!request.unsent.empty()) {
    auto piece = request.unsent.pop_front();
    written_ += piece.size();
    stream_->write(std::move(piece));
  }
  request.complete = request.finished;
  request.ends = written_;
}

void ClientConnection::write(RequestId id, Buffer piece) {
  auto* request = find(id);
  if (request == nullptr || !request->streamed || request->finished || piece.empty()) return;
  if (!request->chunked) {
    if (piece.size() > request->length_left) {
      fail(Error{Errc::too_large, "more bytes than the announced length"});
      schedule();
      return;
    }
    request->length_left -= piece.size();
    request->unsent.push_back(std::move(piece));
  } else if (piece.size() <= kCopyAtMost) {
    auto chunk = encode_chunk_size(piece.size(), piece.size() + 2);
    chunk.append(piece);
    chunk.append(as_bytes("\r\n"));
    request->unsent.push_back(std::move(chunk));
  } else {
    request->unsent.push_back(encode_chunk_size(piece.size(), 0));
    request->unsent.push_back(std::move(piece));
    request->unsent.push_back(Buffer::copy_of(as_bytes("\r\n")));
  }
  give_to_stream();
}

void ClientConnection::finish(RequestId id) {
  auto* request = find(id);
  if (request == nullptr || !request->streamed || request->finished) return;
  if (request->length_left > 0) {
    fail(Error{Errc::closed, "fewer bytes than the announced length"});
    schedule();
    return;
  }
  request->finished = true;
  if (request->chunked) request->unsent.push_back(Buffer::copy_of(as_bytes("0\r\n\r\n")));
  give_to_stream();
}

bool ClientConnection::writable(RequestId id, std::size_t most) {
  auto* request = find(id);
  if (request == nullptr || phase_ != Phase::open) return false;
  const auto mark = std::min({stream_->high_mark(), stream_->enough(), most});
  const bool room = request->unsent.empty() && stream_->unsent() <= mark;
  if (!room) {
    request->wants_writable = true;
    request->writable_at = mark / 2;
  }
  return room;
}

bool ClientConnection::tell_writable() {
  if (given_ == 0) return false;
  auto& last = *requests_[given_ - 1];
  if (!last.wants_writable || !last.unsent.empty() || stream_->unsent() > last.writable_at) return false;
  last.wants_writable = false;
  if (last.events != nullptr && !last.finished) last.events->on_writable();
  return true;
}

void ClientConnection::pause_reading(RequestId id) {
  if (auto* request = find(id)) request->paused = true;
  if (!processing_) schedule();
}

void ClientConnection::resume_reading(RequestId id) {
  if (auto* request = find(id)) request->paused = false;
  if (!processing_) schedule();
}

void ClientConnection::cancel(RequestId id) {
  const auto found = std::find_if(requests_.begin(), requests_.end(), [id](const auto& r) { return r->id == id; });
  if (found == requests_.end()) return;
  const auto index = static_cast<std::size_t>(found - requests_.begin());
  auto& request = **found;
  request.events = nullptr;
  request.handler = nullptr;
  request.collector.reset();
  request.paused = false;
  if (index >= given_) {
    requests_.erase(found);
    if (requests_.empty()) {
      idle_since_ = now_;
      changed_ = true;
    }
  } else if (!request.complete || given_ == 1) {
    fail(Error{Errc::closed, "the request was cancelled"});
  }
  schedule();
}

}  // namespace axl::http
