#include "http/encode.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/expect.hpp"
#include "http/status.hpp"
#include "http/text.hpp"

namespace axl::http {

namespace {

constexpr std::size_t kFramingLines = 160;  // room for all lines of a Framing

bool is_framing(std::string_view name) noexcept {
  switch (name.size()) {
    case 10: return equal_ignoring_case(name, "Connection") || equal_ignoring_case(name, "Keep-Alive");
    case 14: return equal_ignoring_case(name, "Content-Length");
    case 17: return equal_ignoring_case(name, "Transfer-Encoding");
    default: return false;
  }
}

std::size_t size_of(const Headers& headers) noexcept {
  std::size_t size = 0;
  for (const auto& line : headers) size += line.name.size() + line.value.size() + 4;
  return size;
}

// Fills the room of a buffer made large enough beforehand.
class Writer {
 public:
  Writer(std::size_t room, std::size_t tailroom) : out_{room, 0, tailroom}, at_{out_.data()}, end_{at_ + room} {}

  Writer& operator<<(std::string_view text) {
    AXL_EXPECT_OR(text.size() <= left(), return *this);
    at_ = std::copy_n(reinterpret_cast<const std::byte*>(text.data()), text.size(), at_);
    return *this;
  }
  Writer& number(std::uint64_t value, int base = 10) {
    std::array<char, 24> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, base).ptr;
    return *this << std::string_view{digits.data(), static_cast<std::size_t>(end - digits.data())};
  }
  Writer& lines(const Headers& headers) {
    for (const auto& line : headers) {
      if (!is_framing(line.name)) *this << line.name << ": " << line.value << "\r\n";
    }
    return *this;
  }
  Buffer finish(const Headers& headers, const Framing& framing) {
    lines(headers);
    if (framing.content_length) (*this << "Content-Length: ").number(*framing.content_length) << "\r\n";
    if (framing.chunked) *this << "Transfer-Encoding: chunked\r\n";
    if (!framing.connection.empty()) *this << "Connection: " << framing.connection << "\r\n";
    *this << "\r\n";
    return take();
  }
  Buffer take() {
    out_.drop_back(left());
    return std::move(out_);
  }

 private:
  [[nodiscard]] std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }

  Buffer out_;
  std::byte* at_;  // where the next byte goes
  std::byte* end_;
};

}  // namespace

Buffer encode_response_head(Version version, int status, std::string_view reason, const Headers& headers,
                            const Headers& more, const Framing& framing, std::string_view server,
                            std::size_t tailroom) {
  if (reason.empty()) reason = reason_phrase(status);
  Writer out{size_of(headers) + size_of(more) + reason.size() + server.size() + kFramingLines, tailroom};
  (out << (version == Version::http_1_0 ? "HTTP/1.0 " : "HTTP/1.1 ")).number(static_cast<std::uint64_t>(status));
  out << " " << reason << "\r\n";
  if (!server.empty() && !headers.contains("Server")) out << "Server: " << server << "\r\n";
  return out.lines(headers).finish(more, framing);
}

Buffer encode_request_head(std::string_view method, std::string_view target, const Headers& headers,
                           const Framing& framing, std::size_t tailroom) {
  Writer out{size_of(headers) + method.size() + target.size() + kFramingLines, tailroom};
  out << method << " " << target << " HTTP/1.1\r\n";
  return out.finish(headers, framing);
}

Buffer encode_chunk_size(std::size_t size, std::size_t tailroom) {
  Writer out{24, tailroom};
  out.number(size, 16) << "\r\n";
  return out.take();
}

}  // namespace axl::http
