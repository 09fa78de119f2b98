// Reads a Traffic message where it lies, without building its paths: what forwarding one packet needs.
//
// Source: overlay routing, sections 4.8 and 12.
#pragma once

#include <axl/bytes.hpp>
#include <axl/key.hpp>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/buffer.hpp"

namespace axl::overlay {

class TrafficScan {
 public:
  /// `message` with its type byte. Empty if it is malformed. The path goes into `path`, whose memory is reused.
  [[nodiscard]] static std::optional<TrafficScan> read(ByteSpan message, std::vector<std::uint64_t>& path);

  [[nodiscard]] PublicKey source() const noexcept;
  [[nodiscard]] PublicKey dest() const noexcept;
  [[nodiscard]] std::uint64_t watermark() const noexcept { return watermark_; }
  [[nodiscard]] std::size_t from_ports() const noexcept { return from_ports_; }
  [[nodiscard]] ByteSpan payload() const noexcept { return message_.subspan(payload_at_); }
  /// Whether every number is in its shortest form. If not, what we pass on is encoded anew.
  [[nodiscard]] bool minimal() const noexcept { return minimal_; }

  /// The message as it goes on: the same bytes with another watermark, copied once. Needs minimal().
  [[nodiscard]] Buffer with_watermark(std::uint64_t watermark) const;

 private:
  ByteSpan message_;
  std::uint64_t watermark_ = 0;
  std::size_t from_ports_ = 0;
  std::size_t keys_at_ = 0;
  std::size_t watermark_at_ = 0;
  std::size_t payload_at_ = 0;
  bool minimal_ = true;
};

}  // namespace axl::overlay
