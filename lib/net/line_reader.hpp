// Reads a pipe as lines of text, for the standard error of a process.
//
// Lives on one loop. The handler may destroy the reader.
#pragma once

#include <asio/io_context.hpp>
#include <axl/result.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

namespace axl::net {

class LineReader {
 public:
  static constexpr std::size_t kLongestLine = 8UL * 1024;  ///< longer ones come in pieces
  using LineHandler = std::function<void(std::string_view line)>;

  /// Takes the descriptor, also when it fails. Until a handler is set nothing is read.
  [[nodiscard]] static Result<std::unique_ptr<LineReader>> adopt(asio::io_context& context, int descriptor);
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;
  ~LineReader();

  /// Lines without their end; empty ones too, and what stands before the end of the pipe.
  void on_line(LineHandler handler);

 private:
  class State;
  explicit LineReader(std::shared_ptr<State> state) : state_{std::move(state)} {}
  std::shared_ptr<State> state_;
};

}  // namespace axl::net
