#include "router/frame_reader.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

using axl::Buffer;
using axl::Bytes;
using axl::router::BodyCollector;
using axl::router::frame_header;
using axl::router::FrameReader;

namespace {

std::string framed(std::string_view body) {
  const auto header = frame_header(body.size());
  return std::string{axl::as_text(header)} + std::string{body};
}

// Feeds `wire` in pieces of `step` bytes and returns the bodies; "!" ends the list on an error.
std::vector<std::string> read_all(FrameReader& reader, std::string_view wire, std::size_t step) {
  std::vector<std::string> bodies;
  for (std::size_t at = 0; at < wire.size(); at += step) {
    auto input = Buffer::copy_of(axl::as_bytes(wire.substr(at, step)));
    while (!input.empty()) {
      auto body = reader.read(input);
      if (!body) {
        bodies.emplace_back("!");
        return bodies;
      }
      if (*body) bodies.emplace_back(axl::as_text(**body));
    }
  }
  return bodies;
}

}  // namespace

TEST_CASE("frame header: big-endian", "[router]") {
  CHECK(axl::to_hex(frame_header(0)) == "00000000");
  CHECK(axl::to_hex(frame_header(16'777'216)) == "01000000");
  CHECK(axl::to_hex(frame_header(0x01020304)) == "01020304");
}

TEST_CASE("frame reader: finds the same frames however the bytes are cut", "[router]") {
  const std::string big(300'000, 'b');
  const auto wire = framed("one") + framed("") + framed(big) + framed("x");
  for (const std::size_t step : {1UL, 2UL, 3UL, 5UL, 7UL, 4'096UL, 70'001UL, wire.size()}) {
    FrameReader reader{1'000'000};
    CHECK(read_all(reader, wire, step) == std::vector<std::string>{"one", "", big, "x"});
    CHECK_FALSE(reader.inside_length());
    CHECK_FALSE(reader.inside_body());
  }
}

TEST_CASE("frame reader: the maximum is accepted, one more is not", "[router]") {
  FrameReader fits{8};
  CHECK(read_all(fits, framed("12345678"), 3) == std::vector<std::string>{"12345678"});
  FrameReader too_long{8};
  CHECK(read_all(too_long, framed("123456789"), 100) == std::vector<std::string>{"!"});
}

TEST_CASE("frame reader: an HTTP request line is a length far too large", "[router]") {
  FrameReader reader{16'777'216};
  auto input = Buffer::copy_of(axl::as_bytes("GET / HTTP/1.1\r\n"));
  const auto body = reader.read(input);
  REQUIRE_FALSE(body);
  CHECK(body.error().is(axl::Errc::too_large));
  CHECK(body.error().text() == "message size 1195725856 exceeds maximum 16777216");
}

TEST_CASE("frame reader: says how many body bytes it is about to take", "[router]") {
  FrameReader reader{100};
  auto input = Buffer::copy_of(axl::as_bytes(framed("abcdef") + framed("g")));
  CHECK(reader.body_bytes_wanted(input.size()) == 0);
  REQUIRE(reader.read(input));
  CHECK(reader.inside_body());
  CHECK(reader.body_size() == 6);
  CHECK(reader.body_bytes_wanted(input.size()) == 6);
  CHECK(reader.body_bytes_wanted(2) == 2);
}

TEST_CASE("body collector: a large body is whole, however often it had to move", "[router]") {
  BodyCollector collector;
  collector.begin_announced(5'000'000);
  const std::string piece(49'999, 'p');
  std::string expected;
  while (expected.size() < 5'000'000) {
    const auto part = (std::to_string(expected.size()) + piece).substr(0, std::min<std::size_t>(50'000, 5'000'000 - expected.size()));
    collector.add(axl::as_bytes(part));
    expected += part;
  }
  CHECK(collector.finish().text() == expected);
  CHECK(collector.size() == 0);
}

TEST_CASE("body collector: bytes may be put where they belong, no more at once than have come", "[router]") {
  BodyCollector collector;
  collector.begin_announced(3'000'000);
  CHECK(collector.place(1'000).empty());
  std::string expected(3'000'000, ' ');
  for (std::size_t i = 0; i < expected.size(); ++i) expected[i] = static_cast<char>('a' + i % 23);
  const auto all = axl::as_bytes(expected);
  collector.add(all.first(1'000));
  CHECK(collector.place(5'000).size() == 1'000);
  while (collector.size() < all.size()) {
    const auto rest = all.subspan(collector.size());
    const auto place = collector.place(100'000);
    if (place.empty()) {
      collector.add(rest.first(std::min<std::size_t>(rest.size(), 777)));
      continue;
    }
    REQUIRE(place.size() <= std::min<std::size_t>(100'000, collector.size()));
    REQUIRE(place.size() <= rest.size());
    const auto count = (place.size() + 1) / 2;  // a read may be short
    std::ranges::copy(rest.first(count), place.begin());
    collector.placed(count);
  }
  CHECK(collector.place(1'000).empty());
  CHECK(collector.finish().text() == expected);
}

TEST_CASE("body collector: a body of unknown length keeps no more room than it needs", "[router]") {
  BodyCollector collector;
  collector.begin_unknown(16'777'216);
  collector.add(axl::as_bytes("ten bytes."));
  const auto* const before = collector.span().data();
  const auto body = collector.finish();
  CHECK(body.text() == "ten bytes.");
  CHECK(body.data() != before);
  CHECK(collector.size() == 0);
}
