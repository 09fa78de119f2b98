#include "session/message_reader.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace axl::session {

namespace {
constexpr std::size_t kReserveAtOnce = 64 * 1024;  // a larger body earns its room by arriving
}

std::array<std::byte, kMessageHeaderSize> message_header(std::uint32_t size) noexcept {
  return {static_cast<std::byte>(size >> 24U), static_cast<std::byte>(size >> 16U), static_cast<std::byte>(size >> 8U),
          static_cast<std::byte>(size)};
}

Result<void> MessageReader::read(ByteSpan bytes, const std::function<bool(Bytes body)>& sink) {
  if (!held_back_.empty()) {
    held_back_.insert(held_back_.end(), bytes.begin(), bytes.end());
    const auto all = std::exchange(held_back_, {});
    return read(all, sink);
  }
  while (!bytes.empty()) {
    auto more = take(bytes, sink);
    if (!more) return more.error();
    if (!*more) {
      held_back_.assign(bytes.begin(), bytes.end());
      return {};
    }
  }
  return {};
}

// Moves one step: the header, or as much of the body as is there. False when the sink wants no more.
Result<bool> MessageReader::take(ByteSpan& bytes, const std::function<bool(Bytes body)>& sink) {
  if (header_size_ < kMessageHeaderSize) {
    const auto count = std::min(kMessageHeaderSize - header_size_, bytes.size());
    std::memcpy(header_.data() + header_size_, bytes.data(), count);
    header_size_ += count;
    bytes = bytes.subspan(count);
    if (header_size_ < kMessageHeaderSize) return true;
    body_size_ = 0;
    for (const auto byte : header_) body_size_ = body_size_ << 8U | std::to_integer<std::size_t>(byte);
    if (body_size_ > max_size_) {
      return Error{Errc::too_large, "message size " + std::to_string(body_size_) + " exceeds maximum " +
                                        std::to_string(max_size_)};
    }
    body_.reserve(std::min(body_size_, kReserveAtOnce));
  }
  const auto count = std::min(body_size_ - body_.size(), bytes.size());
  body_.insert(body_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
  bytes = bytes.subspan(count);
  if (body_.size() < body_size_) return true;
  header_size_ = 0;
  return sink(std::exchange(body_, {}));
}

}  // namespace axl::session
