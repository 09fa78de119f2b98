#include "overlay/traffic_scan.hpp"

#include <cstring>

#include "wire/codec.hpp"

namespace axl::overlay {

namespace {
constexpr std::size_t kLinkHeadroom = 16;  // for the frame's length field
}

std::optional<TrafficScan> TrafficScan::read(ByteSpan message, std::vector<std::uint64_t>& path) {
  path.clear();
  if (message.empty()) return std::nullopt;
  TrafficScan scan;
  scan.message_ = message;
  wire::Reader reader{message.subspan(1)};
  const auto at = [&] { return message.size() - reader.rest().size(); };
  const auto number = [&] {
    const auto begin = at();
    const auto value = reader.uvarint();
    if (reader.ok() && at() - begin != wire::uvarint_size(value)) scan.minimal_ = false;
    return value;
  };
  for (auto port = number(); port != 0 && reader.ok(); port = number()) path.push_back(port);
  for (auto port = number(); port != 0 && reader.ok(); port = number()) ++scan.from_ports_;
  scan.keys_at_ = at();
  reader.bytes(2 * PublicKey::kSize);
  scan.watermark_at_ = at();
  scan.watermark_ = number();
  if (!reader.ok()) return std::nullopt;
  scan.payload_at_ = at();
  return scan;
}

PublicKey TrafficScan::source() const noexcept {
  return PublicKey{message_.subspan(keys_at_).first<PublicKey::kSize>()};
}

PublicKey TrafficScan::dest() const noexcept {
  return PublicKey{message_.subspan(keys_at_ + PublicKey::kSize).first<PublicKey::kSize>()};
}

Buffer TrafficScan::with_watermark(std::uint64_t watermark) const {
  const auto watermark_size = wire::uvarint_size(watermark);
  Buffer copy{watermark_at_ + watermark_size + (message_.size() - payload_at_), kLinkHeadroom};
  std::memcpy(copy.data(), message_.data(), watermark_at_);
  auto* out = copy.data() + watermark_at_;
  out += wire::put_uvarint(out, watermark);
  if (!payload().empty()) std::memcpy(out, payload().data(), payload().size());
  return copy;
}

}  // namespace axl::overlay
