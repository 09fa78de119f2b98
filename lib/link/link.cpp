#include "link/link.hpp"

#include <algorithm>
#include <utility>

#include "core/expect.hpp"
#include "wire/codec.hpp"
#include "wire/frames.hpp"
#include "wire/meta.hpp"

namespace axl::link {

namespace {

using wire::FrameType;

/// Frames of at least this size are handed out as they are; smaller ones are gathered up to a TLS record.
constexpr std::size_t kAloneFrom = 4096;
constexpr std::size_t kGathered = 16'384;

FrameType type_of(ByteSpan message) noexcept { return static_cast<FrameType>(message.front()); }
bool is_direct(FrameType type) noexcept { return type < FrameType::path_lookup; }
bool is_data(FrameType type) noexcept { return type != FrameType::keepalive && type != FrameType::dummy; }

void prepend_length(Buffer& message) {
  const auto length = message.size();
  wire::put_uvarint(message.prepend(wire::uvarint_size(length)).data(), length);
}

/// The type of a frame, behind its length.
FrameType frame_type(const Buffer& frame) noexcept {
  return type_of(frame.span().subspan(wire::read_uvarint_prefix(frame).size));
}

Buffer keepalive_message() {
  constexpr auto type = static_cast<std::byte>(FrameType::keepalive);
  return Buffer::copy_of(ByteSpan{&type, 1}, wire::kMaxUvarintSize);
}

}  // namespace

Link::Link(const PrivateKey& key, Options options, const Limits& limits, Time started)
    : options_{std::move(options)},
      limits_{limits},
      own_key_{key.public_key()},
      started_{started},
      now_{started},
      keepalive_{limits.keepalive},
      queue_{limits.queue} {
  AXL_EXPECT_OR(options_.password.size() <= wire::kMaxPasswordSize, options_.password.resize(wire::kMaxPasswordSize));
  queue_direct(wire::encode_meta(key, options_.priority, as_bytes(options_.password)));
}

std::optional<Link::Event> Link::read(ByteSpan& input, Time now) {
  now_ = now;
  const auto before = input.size();
  std::optional<Event> event;
  switch (state_) {
    case State::handshake: event = read_meta(input, now); break;
    case State::up: event = read_frames(input, now); break;
    case State::failed: break;
  }
  rx_bytes_ += before - input.size();
  if (state_ == State::failed) input = {};
  return event;
}

std::optional<Link::Event> Link::read_meta(ByteSpan& input, Time now) {
  const auto had = meta_.size();
  const auto count = std::min(input.size(), wire::kMetaPrefixSize + wire::kMaxMetaLength - had);
  if (count == 0) return {};
  meta_.insert(meta_.end(), input.begin(), input.begin() + static_cast<std::ptrdiff_t>(count));
  const auto decoded = wire::decode_meta(meta_, as_bytes(options_.password));
  if (!decoded) {
    give_up({decoded.error()});
    return {};
  }
  if (!decoded->meta) {
    input = input.subspan(count);
    return {};
  }
  // Only the message itself is taken; the first frames may follow it.
  input = input.subspan(decoded->size - had);
  meta_ = Bytes{};
  const auto& meta = *decoded->meta;
  if (auto no = refuse(meta.key)) {
    give_up(*std::move(no));
    return {};
  }
  state_ = State::up;
  peer_ = Established{.key = meta.key, .priority = std::max(meta.priority, options_.priority)};
  if (options_.guarded && !proven_) proof_by_ = now + limits_.proof;
  return *peer_;
}

std::optional<Link::Failed> Link::refuse(const PublicKey& key) const {
  if (key == own_key_) return Failed{.error = Error{Errc::refused, "connected to self"}, .retry = false};
  if (!options_.pinned_keys.empty() && std::ranges::find(options_.pinned_keys, key) == options_.pinned_keys.end()) {
    return Failed{Error{Errc::key_mismatch, "remote key is not among the pinned ones"}};
  }
  if (options_.allowed && !options_.allowed(key)) {
    return Failed{Error{Errc::permission_denied, "remote key is not in AllowedPublicKeys"}};
  }
  return {};
}

std::optional<Link::Event> Link::read_frames(ByteSpan& input, Time now) {
  if (!input.empty()) keepalive_.on_received_part();
  for (;;) {
    const auto message = reader_.next(input);
    if (!message) {
      give_up({message.error()});
      return {};
    }
    if (!*message) return {};
    const auto type = type_of(**message);
    keepalive_.on_received(is_data(type) ? FrameKind::data : FrameKind::keepalive, now);
    if (!is_data(type)) continue;  // any body means nothing
    if (!is_direct(type) && !usable()) {
      ++refused_;
      continue;
    }
    Message event{.type = type, .bytes = **message, .rtt = {}};
    if (type == FrameType::sig_res && asked_at_) event.rtt = now - *asked_at_;
    return event;
  }
}

void Link::send(Buffer message, const Flow& flow, Time now) {
  now_ = now;
  if (state_ == State::failed) return;
  AXL_EXPECT_OR(state_ == State::up && !message.empty(), return );
  if (message.size() > wire::kMaxFrameSize) {
    ++refused_;
    return;
  }
  if (is_direct(type_of(message))) {
    prepend_length(message);
    queue_direct(std::move(message));
    if (direct_bytes_ > limits_.direct_backlog) {
      give_up({Error{Errc::limit_reached, "peer does not read: too many bytes wait for it"}});
    }
    return;
  }
  if (queue_.empty() && usable() && !blocked_ && unsent_ + ready_bytes_ < limits_.write_high) {
    prepend_length(message);
    ready_bytes_ += message.size();
    ready_.push_back(std::move(message));
  } else {
    queue_.push(std::move(message), flow, now);
  }
}

void Link::on_unsent(std::size_t bytes, Time now) {
  now_ = now;
  unsent_ = bytes;
  blocked_ = blocked_ ? unsent_ > limits_.write_low : unsent_ >= limits_.write_high;
}

void Link::set_write_marks(std::size_t high, std::size_t low) noexcept {
  limits_.write_high = high;
  limits_.write_low = low;
}

void Link::on_tick(Time now) {
  now_ = now;
  switch (state_) {
    case State::handshake:
      if (now >= started_ + limits_.handshake) give_up({Error{Errc::timed_out, "handshake timed out"}});
      break;
    case State::up:
      if (proof_by_ && now >= *proof_by_) {
        give_up({Error{Errc::crypto, "peer did not prove that it holds its key"}});
        break;
      }
      keepalive_.on_tick(now);
      while (const auto output = keepalive_.poll_output()) {
        if (*output == Keepalive::Output::peer_timed_out) {
          give_up({Error{Errc::timed_out, "peer sent nothing in answer"}});
          break;
        }
        // Whatever waits for the transport already will be answer enough.
        if (queued_bytes() == 0) {
          auto message = keepalive_message();
          prepend_length(message);
          queue_direct(std::move(message));
        }
      }
      break;
    case State::failed: break;
  }
}

void Link::set_proven(Time now) {
  now_ = now;
  proven_ = true;
  proof_by_.reset();
}

void Link::fail(Error error) { give_up({std::move(error)}); }

void Link::give_up(Failed why) {
  if (state_ == State::failed) return;
  state_ = State::failed;
  failure_ = std::move(why);
  direct_.clear();
  ready_.clear();
  refused_ += queue_.dropped();
  queue_ = PacketQueue{limits_.queue};
  direct_bytes_ = 0;
  ready_bytes_ = 0;
}

void Link::queue_direct(Buffer frame) {
  direct_bytes_ += frame.size();
  direct_.push_back(std::move(frame));
}

std::optional<Buffer> Link::next_frame() {
  if (!direct_.empty()) {
    auto frame = std::move(direct_.front());
    direct_.pop_front();
    direct_bytes_ -= frame.size();
    return frame;
  }
  if (!ready_.empty()) {
    auto frame = std::move(ready_.front());
    ready_.pop_front();
    ready_bytes_ -= frame.size();
    return frame;
  }
  if (!usable()) return {};
  auto message = queue_.pop();
  if (message) prepend_length(*message);
  return message;
}

void Link::note_sent(FrameType type) {
  keepalive_.on_sent(is_data(type) ? FrameKind::data : FrameKind::keepalive, now_);
  if (type == FrameType::sig_req) asked_at_ = now_;
}

std::optional<Link::Output> Link::poll_output() {
  if (failure_) return std::exchange(failure_, std::nullopt);
  if (blocked_ || state_ == State::failed) return {};
  if (tx_bytes_ == 0) {  // the meta message, which is no frame
    auto meta = next_frame();
    AXL_EXPECT_OR(meta.has_value(), return {});
    handed_out(*meta);
    return Write{*std::move(meta)};
  }
  auto bytes = next_frame();
  if (!bytes) return {};
  note_sent(frame_type(*bytes));
  if (bytes->size() < kAloneFrom) gather_into(*bytes);
  handed_out(*bytes);
  return Write{*std::move(bytes)};
}

void Link::gather_into(Buffer& bytes) {
  bool copied = false;
  while (auto frame = next_frame()) {
    if (frame->size() >= kAloneFrom || bytes.size() + frame->size() > kGathered) {
      direct_bytes_ += frame->size();  // it keeps its place: next
      direct_.push_front(*std::move(frame));
      return;
    }
    if (!copied) {
      Buffer roomy{0, 0, kGathered};
      roomy.append(bytes.span());
      bytes = std::move(roomy);
      copied = true;
    }
    note_sent(frame_type(*frame));
    bytes.append(frame->span());
  }
}

void Link::handed_out(const Buffer& bytes) {
  tx_bytes_ += bytes.size();
  unsent_ += bytes.size();
  if (unsent_ >= limits_.write_high) blocked_ = true;
}

std::optional<Time> Link::next_tick() const {
  switch (state_) {
    case State::handshake: return started_ + limits_.handshake;
    case State::up: {
      const auto idle = keepalive_.next_tick();
      return idle && proof_by_ ? std::min(*idle, *proof_by_) : idle ? idle : proof_by_;
    }
    case State::failed: break;
  }
  return {};
}

}  // namespace axl::link
