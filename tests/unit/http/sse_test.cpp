#include "http/sse.hpp"

#include <catch2/catch_test_macros.hpp>
#include <vector>

using namespace axl;
using http::SseEvent;
using http::SseReader;

namespace {

std::string text_of(const SseEvent& event) {
  return event.event + "/" + event.data + "/" + event.id + "/" + (event.retry ? std::to_string(*event.retry) : "");
}

std::vector<std::string> read(std::string_view text, std::size_t piece) {
  SseReader reader{1000};
  std::vector<std::string> events;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    REQUIRE(reader.feed(as_bytes(text.substr(at, piece))).ok());
    while (const auto event = reader.next()) events.push_back(text_of(*event));
  }
  return events;
}

}  // namespace

TEST_CASE("sse: events are the same at every fragmentation and with every line end", "[http]") {
  const std::string text =
      "\xef\xbb\xbf"
      "data: one\n\n: a comment\n\nevent: ping\ndata:two\ndata\ndata:  three\nid: 7\nretry: 250\n\n"
      "id: only\n\nevent: nothing\n\ndata:\n\nretry: 1x\nid: a\nunknown: x\n\ndata: unfinished\n";
  const std::vector<std::string> expected{"/one//", "ping/two\n\n three/7/250", "//only/", "///", "//a/"};
  for (const std::string_view end : {"\n", "\r\n", "\r"}) {
    std::string written;
    for (const char c : text) {
      if (c == '\n') {
        written += end;
      } else {
        written.push_back(c);
      }
    }
    for (std::size_t piece = 1; piece <= written.size(); ++piece) REQUIRE(read(written, piece) == expected);
  }
}

TEST_CASE("sse: an event of any size up to the limit, and none beyond", "[http]") {
  SseReader reader{100};
  for (int i = 0; i < 50; ++i) REQUIRE(reader.feed(as_bytes("data: " + std::string(80, 'x') + "\n\n")).ok());
  int events = 0;
  while (reader.next()) ++events;
  CHECK(events == 50);
  SseReader line{100};
  REQUIRE(line.feed(as_bytes("data: whole\n\n")).ok());
  CHECK(line.feed(as_bytes(std::string(101, 'x'))).error().is(Errc::too_large));
  CHECK(line.next());
  CHECK_FALSE(line.feed(as_bytes("\n")).ok());
  SseReader lines{100};
  Result<void> last;
  for (int i = 0; i < 20 && last.ok(); ++i) last = lines.feed(as_bytes("data: 1234567890\n"));
  CHECK_FALSE(last.ok());
}

TEST_CASE("sse: what is written is read back, and no value can forge a line", "[http]") {
  for (const auto& event :
       {SseEvent{"e", "a\nb\n", "1", 5}, SseEvent{"", "", "prime", {}}, SseEvent{"", " x", "", {}}}) {
    SseReader reader{1000};
    REQUIRE(reader.feed(as_bytes(http::encode_sse(event))).ok());
    CHECK(text_of(reader.next().value()) == text_of(event));
    CHECK_FALSE(reader.next());
  }
  CHECK(http::encode_sse({"e\ndata: x", "a\r\nb\rc", "i\rj", {}}) == "event: e\nid: i\ndata: a\ndata: b\ndata: c\n\n");
}
