#include "link/frame_reader.hpp"

#include <algorithm>

namespace axl::link {

namespace {

/// Memory that an idle reader keeps; more is given back once the large message is done.
constexpr std::size_t kKeptCapacity = 40 * 1024;

bool known(std::byte type) noexcept {
  return std::to_integer<std::uint8_t>(type) <= static_cast<std::uint8_t>(wire::FrameType::traffic);
}

}  // namespace

Result<std::optional<FrameReader::Header>> FrameReader::header_of(ByteSpan front) const {
  const auto length = wire::read_uvarint_prefix(front);
  if (length.status == wire::UvarintStatus::need_more) return std::optional<Header>{};
  if (length.status == wire::UvarintStatus::overflow) return Error{Errc::malformed, "frame length overflows"};
  if (length.value == 0) return Error{Errc::malformed, "empty frame"};
  if (length.value > max_frame_) {
    return Error{Errc::too_large,
                 "frame of " + std::to_string(length.value) + " bytes, at most " + std::to_string(max_frame_)};
  }
  if (front.size() > length.size && !known(front[length.size])) {
    return Error{Errc::malformed, "unknown frame type " + std::to_string(std::to_integer<int>(front[length.size]))};
  }
  return std::optional<Header>{Header{.size = length.size, .length = static_cast<std::size_t>(length.value)}};
}

void FrameReader::release_handed_out() {
  if (!handed_out_) return;
  handed_out_ = false;
  if (partial_.capacity() > kKeptCapacity) {
    partial_ = Bytes{};  // {} alone would keep the memory
  } else {
    partial_.clear();
  }
}

Result<std::optional<ByteSpan>> FrameReader::next(ByteSpan& input) {
  release_handed_out();
  if (partial_.empty()) {
    if (input.empty()) return std::optional<ByteSpan>{};
    const auto header = header_of(input);
    if (!header) return header.error();
    if (*header && input.size() - (*header)->size >= (*header)->length) {
      const auto message = input.subspan((*header)->size, (*header)->length);
      input = input.subspan((*header)->size + (*header)->length);
      return std::optional{message};
    }
  }
  while (!input.empty()) {
    const auto known_header = header_of(partial_);
    if (!known_header) return known_header.error();
    // Without the type byte a header is not yet checked in full, so the first bytes are taken one by one.
    const bool checked = *known_header && partial_.size() > (*known_header)->size;
    const auto whole = checked ? (*known_header)->size + (*known_header)->length : partial_.size() + 1;
    const auto count = std::min(whole - partial_.size(), input.size());
    if (partial_.capacity() < partial_.size() + count) {
      // Doubling, but never beyond the message.
      partial_.reserve(std::min(whole, std::max(2 * partial_.capacity(), partial_.size() + count)));
    }
    partial_.insert(partial_.end(), input.begin(), input.begin() + static_cast<std::ptrdiff_t>(count));
    input = input.subspan(count);
    const auto header = header_of(partial_);
    if (!header) return header.error();
    if (*header && partial_.size() == (*header)->size + (*header)->length) {
      handed_out_ = true;
      return std::optional{ByteSpan{partial_}.subspan((*header)->size)};
    }
  }
  return std::optional<ByteSpan>{};
}

}  // namespace axl::link
