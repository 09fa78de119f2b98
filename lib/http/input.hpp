// What a connection has received and not read yet; both ends keep it the same way. A few bytes keep no large buffer:
// they may wait long for a slow reader.
#pragma once

#include <cstddef>
#include <utility>

#include "core/buffer.hpp"
#include "http/parser.hpp"

namespace axl::http {

inline void add_input(Buffer& input, Buffer data) {
  if (input.empty()) {
    input = std::move(data);
  } else if (input.tailroom() < data.size() && input.size() < data.size()) {
    Buffer joined{0, 0, input.size() + data.size()};
    joined.append(input.span());
    joined.append(data.span());
    input = std::move(joined);
  } else {
    input.append(data);
  }
}

/// The body's piece of `read`, which the parser has just read from `input`; not copied if it is the last of it.
[[nodiscard]] inline Buffer take_body(Buffer& input, const Parser::Step& read) {
  const auto before = static_cast<std::size_t>(read.body.data() - input.data());
  if (before + read.body.size() == input.size()) {
    input.drop_front(before);
    input.shed();
    return std::exchange(input, Buffer{});
  }
  auto piece = Buffer::copy_of(read.body);
  input.drop_front(read.consumed);
  return piece;
}

}  // namespace axl::http
