// Frames of a WebSocket's client: the same bytes are the same messages, in whatever pieces they come; what is held and
// handed out stays within its limits; and what the server writes is, once masked, what it reads.

#include <algorithm>
#include <axl/bytes.hpp>
#include <span>
#include <string>

#include "fuzz.hpp"
#include "http/websocket_reader.hpp"

namespace {

using namespace axl;
using http::WebSocketReader;

constexpr WebSocketReader::Limits kLimits{.text = 300, .binary = 1'000};

// All that a reader has to say; pieces of a binary message joined.
std::string read_all(ByteSpan input, std::size_t piece) {
  using What = WebSocketReader::What;
  WebSocketReader reader{kLimits};
  std::string told;
  std::size_t message = 0;
  bool over = false;
  for (std::size_t at = 0; at < input.size(); at += piece) {
    auto part = to_bytes(input.subspan(at, std::min(piece, input.size() - at)));
    for (auto rest = MutableByteSpan{part};;) {
      const auto step = reader.read(rest);
      test::expect(step.consumed <= rest.size(), "no more is consumed than there is");
      rest = rest.subspan(step.consumed);
      if (step.what == What::nothing) {
        test::expect(rest.empty(), "the input is used up");
        break;
      }
      test::expect(!over, "nothing is read after the end");
      over = step.what == What::close || step.what == What::violation;
      if (step.what == What::binary) {
        message += step.payload.size();
        test::expect(message <= kLimits.binary, "no message is larger than its limit");
        told += as_text(step.payload);
        if (!step.end) continue;
        message = 0;
      } else {
        const auto limit = step.what == What::text ? kLimits.text : http::kMaxControlPayload;
        test::expect(step.payload.size() <= limit, "no text or control frame is larger than its limit");
        told += as_text(step.payload);
      }
      told += "|" + std::to_string(static_cast<int>(step.what)) + "," + std::to_string(static_cast<int>(step.code)) + "|";
    }
  }
  return told;
}

std::string written_and_read(ByteSpan payload) {
  auto frame = http::encode_websocket_frame(http::WebSocketOpcode::binary, true, payload);
  const auto header = frame.size() - payload.size();
  auto masked = to_bytes(frame.span().first(header));
  masked[1] |= std::byte{0x80};
  masked.resize(header + 4);  // a mask of zeros
  masked.insert(masked.end(), payload.begin(), payload.end());
  return read_all(masked, masked.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = std::as_bytes(std::span{data, size});
  const auto whole = read_all(input, input.size() + 1);
  for (const auto piece : {std::size_t{1}, std::size_t{7}}) {
    test::expect(read_all(input, piece) == whole, "pieces do not matter");
  }
  const auto payload = input.first(std::min(input.size(), kLimits.binary));
  test::expect(written_and_read(payload) == std::string{as_text(payload)} + "|2,0|", "what is written is read");
  return 0;
}
