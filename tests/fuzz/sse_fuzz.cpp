// Event streams: the same bytes are the same events, in whatever pieces they come, and what is written is read.

#include <algorithm>
#include <axl/bytes.hpp>
#include <span>
#include <string>
#include <vector>

#include "fuzz.hpp"
#include "http/sse.hpp"

namespace {

using namespace axl;

std::vector<http::SseEvent> read_all(ByteSpan input, std::size_t piece) {
  http::SseReader reader{1024};
  std::vector<http::SseEvent> out;
  for (std::size_t at = 0; at < input.size(); at += piece) {
    const auto fed = reader.feed(input.subspan(at, std::min(piece, input.size() - at)));
    while (auto event = reader.next()) out.push_back(std::move(*event));
    if (!fed) break;
  }
  return out;
}

bool same(const http::SseEvent& a, const http::SseEvent& b) {
  return a.event == b.event && a.data == b.data && a.id == b.id && a.retry == b.retry;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = std::as_bytes(std::span{data, size});
  const auto whole = read_all(input, input.size() + 1);
  for (const auto piece : {std::size_t{1}, std::size_t{5}}) {
    const auto pieces = read_all(input, piece);
    test::expect(std::ranges::equal(whole, pieces, same), "pieces do not matter");
  }
  for (const auto& event : whole) {
    const auto again = read_all(as_bytes(http::encode_sse(event)), size + 64);
    test::expect(event.data.empty() || (again.size() == 1 && same(again[0], event)), "what is written is read");
  }
  return 0;
}
