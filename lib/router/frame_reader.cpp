#include "router/frame_reader.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "core/expect.hpp"
#include "core/room.hpp"

namespace axl::router {

namespace {
constexpr std::size_t kFirstRoom = 64 * 1024;
constexpr std::size_t kTouchedAhead = 256 * 1024;
}

std::array<std::byte, kFrameHeaderSize> frame_header(std::size_t size) noexcept {
  AXL_EXPECT_OR(size <= 0xFFFF'FFFFU, size = 0xFFFF'FFFFU);
  return {static_cast<std::byte>(size >> 24U), static_cast<std::byte>(size >> 16U), static_cast<std::byte>(size >> 8U),
          static_cast<std::byte>(size)};
}

void BodyCollector::begin_announced(std::size_t length) {
  begin_unknown(length);
  announced_ = true;
}

void BodyCollector::begin_unknown(std::size_t most) {
  most_ = most;
  announced_ = false;
  room_.reset();
  capacity_ = 0;
  touched_ = 0;
  size_ = 0;
}

void BodyCollector::add(ByteSpan bytes) {
  if (bytes.empty()) return;
  const auto needed = size_ + bytes.size();
  if (needed > capacity_) {
    const auto wanted = size_ == 0 ? kFirstRoom : (announced_ ? 16 : 4) * size_;
    move_to(std::max(needed, std::min(most_, wanted)));
  }
  touch(needed);
  std::memcpy(room_.get() + size_, bytes.data(), bytes.size());
  size_ = needed;
}

MutableByteSpan BodyCollector::place(std::size_t most) {
  const auto count = std::min({most, size_, capacity_ - size_});
  if (count == 0) return {};
  touch(size_ + count);
  return {room_.get() + size_, count};
}

void BodyCollector::touch(std::size_t needed) noexcept {
  if (needed <= touched_) return;
  // No more ahead than has come: who announces much and sends little shall not cost more than twice that.
  const auto ahead = std::min(kTouchedAhead, needed);
  const auto end = std::min(capacity_, needed + ahead);
  if (end - touched_ >= ahead) touch_room(room_.get() + touched_, end - touched_);
  touched_ = end;
}

void BodyCollector::move_to(std::size_t capacity) {
  auto room = make_room(capacity);
  if (size_ > 0) std::memcpy(room.bytes.get(), room_.get(), size_);
  room_ = std::move(room.bytes);
  capacity_ = capacity;
  touched_ = room.resident ? capacity : size_;
}

MessageBody BodyCollector::finish() {
  if (size_ < capacity_ / 2 && size_ > 0) move_to(size_);  // it may wait for long
  const auto view = span();
  size_ = capacity_ = 0;
  return {std::exchange(room_, {}), view};
}

std::size_t FrameReader::body_bytes_wanted(std::size_t available) const noexcept {
  return inside_body() ? std::min(available, body_size_ - body_.size()) : 0;
}

Result<std::optional<MessageBody>> FrameReader::read(Buffer& input) {
  if (inside_body()) {
    const auto count = body_bytes_wanted(input.size());
    body_.add(input.span().first(count));
    input.drop_front(count);
    return take_if_complete();
  }
  const auto count = std::min(kFrameHeaderSize - header_size_, input.size());
  if (count > 0) std::memcpy(header_.data() + header_size_, input.data(), count);
  header_size_ += count;
  input.drop_front(count);
  if (header_size_ < kFrameHeaderSize) return std::optional<MessageBody>{};
  body_size_ = 0;
  for (const auto byte : header_) body_size_ = body_size_ << 8U | std::to_integer<std::size_t>(byte);
  if (body_size_ > max_size_) {
    return Error{Errc::too_large,
                 "message size " + std::to_string(body_size_) + " exceeds maximum " + std::to_string(max_size_)};
  }
  body_.begin_announced(body_size_);
  return take_if_complete();
}

std::optional<MessageBody> FrameReader::take_if_complete() {
  if (body_.size() < body_size_) return {};
  header_size_ = 0;
  return body_.finish();
}

}  // namespace axl::router
