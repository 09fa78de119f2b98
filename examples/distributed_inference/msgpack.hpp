// As much of msgpack as the tensor exchange needs: values written one after the other, and read the same way.
#pragma once

#include <axl/bytes.hpp>
#include <axl/result.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tensor_link {

class Writer {
 public:
  void map(std::size_t members);
  void array(std::size_t elements);
  void text(std::string_view value);
  void whole(std::uint64_t value);
  void number(double value);
  void boolean(bool value);
  /// Only the beginning: `size` bytes are to follow.
  void binary(std::size_t size);
  void bytes(axl::ByteSpan data) { out_.insert(out_.end(), data.begin(), data.end()); }

  [[nodiscard]] std::size_t size() const noexcept { return out_.size(); }
  [[nodiscard]] axl::Bytes take() && { return std::move(out_); }

 private:
  void put(unsigned value) { out_.push_back(static_cast<std::byte>(value)); }
  void big_endian(std::uint64_t value, unsigned width);

  axl::Bytes out_;
};

/// Views into what it reads. Each call reads one value, which must be of that kind; nothing is read beyond the end.
class Reader {
 public:
  explicit Reader(axl::ByteSpan input) noexcept : left_{input} {}

  axl::Result<std::size_t> map();
  axl::Result<std::size_t> array();
  axl::Result<std::string_view> text();
  axl::Result<std::uint64_t> whole();
  axl::Result<bool> boolean();
  axl::Result<axl::ByteSpan> binary();
  /// Whatever comes next, with all that is in it.
  axl::Result<void> skip();

  [[nodiscard]] bool at_end() const noexcept { return left_.empty(); }

 private:
  axl::Result<unsigned> tag();
  axl::Result<std::uint64_t> big_endian(unsigned width);
  axl::Result<axl::ByteSpan> bytes(std::uint64_t size);
  axl::Result<std::size_t> count(unsigned fixed, unsigned wide);
  axl::Result<axl::ByteSpan> sized(unsigned width);

  axl::ByteSpan left_;
};

}  // namespace tensor_link
