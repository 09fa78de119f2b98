#include "load_message.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace gossip {
namespace {

constexpr std::string_view kMark{"\0load\0\0\1", 8};
constexpr std::size_t kHead = kMark.size() + 16;

std::byte filling(std::uint64_t sequence, std::size_t place) {
  return static_cast<std::byte>((sequence * 31 + place * 7) & 0xffU);
}

}  // namespace

axl::Bytes encode(const LoadMessage& message) {
  axl::Bytes out(kLoadMessageSize);
  const std::int64_t time = message.published.time_since_epoch() / std::chrono::nanoseconds{1};
  std::memcpy(out.data(), kMark.data(), kMark.size());
  std::memcpy(out.data() + kMark.size(), &message.sequence, 8);  // both ends are this program on this machine
  std::memcpy(out.data() + kMark.size() + 8, &time, 8);
  for (auto place = kHead; place < out.size(); ++place) out[place] = filling(message.sequence, place);
  return out;
}

bool looks_like_load(axl::ByteSpan body) { return axl::as_text(body).starts_with(kMark); }

std::optional<LoadMessage> decode(axl::ByteSpan body) {
  if (body.size() != kLoadMessageSize || !looks_like_load(body)) return {};
  LoadMessage out;
  std::int64_t time = 0;
  std::memcpy(&out.sequence, body.data() + kMark.size(), 8);
  std::memcpy(&time, body.data() + kMark.size() + 8, 8);
  out.published = std::chrono::steady_clock::time_point{std::chrono::nanoseconds{time}};
  for (auto place = kHead; place < body.size(); ++place) {
    if (body[place] != filling(out.sequence, place)) return {};
  }
  return out;
}

}  // namespace gossip
