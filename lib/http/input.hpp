// What a connection has received and not read yet; both ends keep it the same way.
#pragma once

#include <cstddef>
#include <utility>

#include "core/buffer.hpp"
#include "http/parser.hpp"

namespace axl::http {

inline void add_input(Buffer& input, Buffer data) {
  if (input.empty()) {
    input = std::move(data);
  } else {
    input.append(data);
  }
}

/// The body's piece of `read`, which the parser has just read from `input`; not copied if it is the last of it.
[[nodiscard]] inline Buffer take_body(Buffer& input, const Parser::Step& read) {
  const auto before = static_cast<std::size_t>(read.body.data() - input.data());
  if (before + read.body.size() == input.size()) {
    input.drop_front(before);
    return std::exchange(input, Buffer{});
  }
  auto piece = Buffer::copy_of(read.body);
  input.drop_front(read.consumed);
  return piece;
}

}  // namespace axl::http
