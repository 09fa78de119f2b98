// The overlay's basic encodings: uvarint, path, and a reader that never runs past its input.
//
// Source: overlay routing, section 2.
#pragma once

#include <axl/bytes.hpp>
#include <axl/key.hpp>
#include <axl/result.hpp>
#include <cstdint>
#include <vector>

#include "crypto/signature.hpp"

namespace axl::wire {

inline constexpr std::size_t kMaxUvarintSize = 10;

/// Ports from the root to a node, without the terminating zero; empty at the root.
using Path = std::vector<std::uint64_t>;

/// Bytes that the minimal encoding of `value` takes, 1 to 10.
[[nodiscard]] std::size_t uvarint_size(std::uint64_t value) noexcept;
/// Writes the minimal encoding to `out` (at least uvarint_size(value) bytes); returns the bytes written.
std::size_t put_uvarint(std::byte* out, std::uint64_t value) noexcept;
void append_uvarint(Bytes& out, std::uint64_t value);

[[nodiscard]] std::size_t path_size(const Path& path) noexcept;  ///< terminator included
std::size_t put_path(std::byte* out, const Path& path) noexcept;
void append_path(Bytes& out, const Path& path);

/// Takes values off the front of a span. After a failed read everything fails and `ok()` is false.
class Reader {
 public:
  explicit Reader(ByteSpan input) noexcept : rest_{input} {}

  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }
  [[nodiscard]] ByteSpan rest() const noexcept { return rest_; }

  std::uint8_t u8() noexcept;
  std::uint16_t u16() noexcept;  ///< big-endian, as the others
  std::uint32_t u32() noexcept;
  std::uint64_t u64() noexcept;
  /// Accepts longer-than-needed forms of up to 10 bytes.
  std::uint64_t uvarint() noexcept;
  Path path();
  ByteSpan bytes(std::size_t count) noexcept;
  PublicKey key() noexcept;
  crypto::Signature signature() noexcept;
  void fail() noexcept {
    ok_ = false;
    rest_ = {};
  }

 private:
  ByteSpan rest_;
  bool ok_ = true;
};

/// What decoding a uvarint from the front of an incomplete stream can say.
enum class UvarintStatus : std::uint8_t { complete, need_more, overflow };
struct UvarintPrefix {
  UvarintStatus status = UvarintStatus::need_more;
  std::uint64_t value = 0;
  std::size_t size = 0;  ///< bytes taken when complete
};
[[nodiscard]] UvarintPrefix read_uvarint_prefix(ByteSpan input) noexcept;

}  // namespace axl::wire
