// Cuts a byte stream into messages: length, type, body.
//
// A message that lies whole in what just came is handed out where it lies. Others are gathered as their bytes arrive;
// the announced length reserves nothing.
//
// Source: overlay routing, section 3.
#pragma once

#include <axl/bytes.hpp>
#include <axl/result.hpp>
#include <cstddef>
#include <optional>

#include "wire/frames.hpp"

namespace axl::link {

class FrameReader {
 public:
  explicit FrameReader(std::size_t max_frame = wire::kMaxFrameSize) noexcept : max_frame_{max_frame} {}

  /// Takes bytes off the front of `input` up to the end of one message and gives that message (type byte and body, of a
  /// known type); empty once `input` is used up. The view holds until the next call and as long as the input's memory.
  /// An error means that the stream cannot be read further.
  [[nodiscard]] Result<std::optional<ByteSpan>> next(ByteSpan& input);

  /// Bytes of the message under way.
  [[nodiscard]] std::size_t buffered() const noexcept { return handed_out_ ? 0 : partial_.size(); }

 private:
  struct Header {
    std::size_t size = 0;    // bytes of the length field
    std::size_t length = 0;  // what it says
  };
  [[nodiscard]] Result<std::optional<Header>> header_of(ByteSpan front) const;
  void release_handed_out();

  std::size_t max_frame_;
  Bytes partial_;            // length field and what came of the body
  bool handed_out_ = false;  // partial_ is what the caller got last, and may go
};

}  // namespace axl::link
