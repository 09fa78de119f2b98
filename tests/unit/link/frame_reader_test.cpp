#include "link/frame_reader.hpp"

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "crypto/hash.hpp"
#include "vectors.hpp"

using axl::Bytes;
using axl::ByteSpan;
using axl::link::FrameReader;

namespace {

void append(Bytes& out, ByteSpan bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

Bytes framed(ByteSpan message) {
  Bytes out;
  axl::wire::append_uvarint(out, message.size());
  append(out, message);
  return out;
}

struct Outcome {
  std::vector<std::string> messages;  // hex
  std::string error;
};

/// Feeds `stream` in pieces of `piece` bytes.
Outcome read_all(ByteSpan stream, std::size_t piece) {
  FrameReader reader;
  Outcome outcome;
  while (!stream.empty()) {
    // A copy of its own for each piece, so that a view kept too long would be noticed.
    const auto copy = axl::to_bytes(stream.first(std::min(piece, stream.size())));
    stream = stream.subspan(copy.size());
    ByteSpan rest = copy;
    for (;;) {
      const auto message = reader.next(rest);
      if (!message) {
        outcome.error = message.error().text();
        return outcome;
      }
      if (!*message) break;
      outcome.messages.push_back(axl::to_hex(**message));
    }
    REQUIRE(rest.empty());
  }
  return outcome;
}

}  // namespace

TEST_CASE("frame reader: golden frames come out whole, however the stream is cut", "[link]") {
  Bytes stream;
  std::vector<std::string> expected;
  for (auto c : axl::test::load_vectors("routing/frames.json")["frames"].get_array()) {
    const auto frame = axl::test::hex(c["frame"]);
    append(stream, frame);
    expected.push_back(axl::to_hex(ByteSpan{frame}.subspan(axl::wire::read_uvarint_prefix(frame).size)));
  }
  for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{7}, std::size_t{64},
                                  std::size_t{129}, stream.size()}) {
    CAPTURE(piece);
    const auto outcome = read_all(stream, piece);
    CHECK(outcome.error.empty());
    CHECK(outcome.messages == expected);
  }
  // Cut once, at every place.
  for (std::size_t cut = 1; cut < stream.size(); ++cut) {
    FrameReader reader;
    std::size_t count = 0;
    for (ByteSpan part : {ByteSpan{stream}.first(cut), ByteSpan{stream}.subspan(cut)}) {
      while (const auto message = reader.next(part).value()) {
        REQUIRE(axl::to_hex(*message) == expected.at(count));
        ++count;
      }
    }
    CHECK(count == expected.size());
  }
}

TEST_CASE("frame reader: a whole message is handed out where it lies", "[link]") {
  const auto frame = axl::from_hex("03020100").value();
  ByteSpan rest = frame;
  FrameReader reader;
  const auto message = reader.next(rest).value();
  REQUIRE(message);
  CHECK(message->data() == frame.data() + 1);
  CHECK(rest.empty());
}

TEST_CASE("frame reader: framing errors of the golden bad messages end the stream", "[link]") {
  for (auto c : axl::test::load_vectors("routing/malformed.json")["cases"].get_array()) {
    CAPTURE(axl::test::text(c["name"]));
    const auto error = axl::test::text(c["error"]);
    const bool framing = error == "ErrEmptyMessage" || error == "ErrUnrecognizedMessage";
    const auto stream = framed(axl::test::hex(c["message"]));
    for (const std::size_t piece : {std::size_t{1}, stream.size()}) {
      const auto outcome = read_all(stream, piece);
      CHECK(outcome.error.empty() != framing);
      CHECK(outcome.messages.size() == (framing ? 0 : 1));
    }
  }
}

TEST_CASE("frame reader: lengths are judged before anything is gathered", "[link]") {
  const auto error_of = [](std::uint64_t length) {
    Bytes stream;
    axl::wire::append_uvarint(stream, length);
    return read_all(stream, 1).error;
  };
  CHECK(error_of(axl::wire::kMaxFrameSize).empty());
  CHECK_FALSE(error_of(axl::wire::kMaxFrameSize + 1).empty());
  CHECK_FALSE(error_of(~std::uint64_t{0}).empty());
  CHECK_FALSE(error_of(0).empty());
  CHECK_FALSE(read_all(axl::from_hex("ffffffffffffffffff02").value(), 1).error.empty());
  CHECK_FALSE(read_all(axl::from_hex("8000").value(), 1).error.empty());
  // A longer form of a length is read like any uvarint.
  CHECK(read_all(axl::from_hex("81800001").value(), 1).messages == std::vector<std::string>{"01"});
}

TEST_CASE("frame reader: an announced length reserves nothing", "[link]") {
  FrameReader reader;
  Bytes start;
  axl::wire::append_uvarint(start, axl::wire::kMaxFrameSize);
  start.push_back(std::byte{9});
  ByteSpan rest = start;
  CHECK_FALSE(reader.next(rest).value());
  CHECK(reader.buffered() == start.size());
}

TEST_CASE("frame reader: the largest frame passes in pieces", "[link]") {
  Bytes message(axl::wire::kMaxFrameSize, std::byte{0xab});
  message[0] = std::byte{9};
  auto stream = framed(message);
  append(stream, axl::from_hex("0101").value());
  const auto outcome = read_all(stream, 4096);
  REQUIRE(outcome.messages.size() == 2);
  CHECK(outcome.messages[0] == axl::to_hex(message));
  CHECK(outcome.messages[1] == "01");
}

TEST_CASE("frame reader: random bytes give messages or an error, never more than they hold", "[link]") {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    axl::crypto::SeededRng rng{seed};
    Bytes garbage(600);
    rng.fill(garbage);
    const auto whole = read_all(garbage, garbage.size());
    const auto pieces = read_all(garbage, 1 + seed % 17);
    CHECK(whole.messages == pieces.messages);
    CHECK(whole.error.empty() == pieces.error.empty());
  }
}
