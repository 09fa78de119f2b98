// Reads one direction of an HTTP/1.1 connection, one step at a time: a head, pieces of its body, its end.
//
// The parser keeps nothing of the bytes but the head. It stops after a head and after a message, so nothing of the
// next message is looked at before the caller asks. All leniency of the underlying parser is off; what it lets through
// and two readers might understand differently is refused here (RFC 9112, sections 3.2, 6.1 and 11.2).
#pragma once

#include <axl/bytes.hpp>
#include <cstddef>
#include <memory>
#include <string>

#include "http/message.hpp"

namespace axl::http {

/// What is wrong with a message, in the form of the answer that a server gives to it.
struct ParseError {
  int status = 400;
  std::string detail;  ///< may be empty
};

class Parser {
 public:
  enum class Kind : std::uint8_t { requests, responses };
  struct Limits {
    std::size_t head_bytes = 1024 * 1024;
    std::size_t head_lines = 4096;
  };
  struct Step {
    std::size_t consumed = 0;
    MutableByteSpan body;               ///< lies within the input; pieces of several chunks have been moved together
    bool head = false;                  ///< request() or response() is complete
    bool end = false;                   ///< the message is complete
    const ParseError* error = nullptr;  ///< nothing can be read any more
  };

  struct State;  // for the parser's own sources

  Parser(Kind kind, Limits limits);
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;
  ~Parser();

  /// Reads up to the next head, the end of the message or the end of the input. Overwrites parts of the input.
  [[nodiscard]] Step read(MutableByteSpan input);
  /// The other end will send no more: is what has come a complete message (`end`), nothing at all, or an error?
  [[nodiscard]] Step finish();

  /// The last head read; may be moved from.
  [[nodiscard]] RequestHead& request() noexcept;
  [[nodiscard]] ResponseHead& response() noexcept;
  /// For answers: the next one belongs to a HEAD request and has no body.
  void expect_no_body(bool none) noexcept;
  /// True from the first byte of a head to its end.
  [[nodiscard]] bool in_head() const noexcept;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace axl::http
