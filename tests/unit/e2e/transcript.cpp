#include "transcript.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "support.hpp"
#include "vectors.hpp"
#include "wire/frames.hpp"

namespace axl::test {

namespace {

constexpr std::size_t kMetaSize = 123;

// One direction of a link: a meta message, then frames.
struct Stream {
  Bytes bytes;
  bool meta_seen = false;

  std::optional<Bytes> next_frame() {
    if (!meta_seen) {
      if (bytes.size() < kMetaSize) return {};
      bytes.erase(bytes.begin(), bytes.begin() + kMetaSize);
      meta_seen = true;
    }
    const auto length = wire::read_uvarint_prefix(bytes);
    REQUIRE(length.status != wire::UvarintStatus::overflow);
    if (length.status == wire::UvarintStatus::need_more || bytes.size() < length.size + length.value) return {};
    const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(length.size);
    const auto end = begin + static_cast<std::ptrdiff_t>(length.value);
    Bytes frame{begin, end};
    bytes.erase(bytes.begin(), end);
    return frame;
  }
};

}  // namespace

Transcript Transcript::load(const std::string& name) {
  Transcript transcript;
  const auto root = load_vectors(name);
  transcript.unix_at_zero = std::chrono::milliseconds{u64(root["start_unix_ms"])};
  for (const auto node : root["nodes"].get_array()) {
    transcript.keys.emplace(std::string{text(node["name"])}, key_from(hex(node["seed"])));
  }
  for (const auto pair : root["box_keys"].get_array()) {
    RecordedRng rng;
    rng.feed(hex(pair["priv"]));
    transcript.box_keys.push_back(crypto::BoxKeyPair::generate(rng));
    REQUIRE(to_hex(transcript.box_keys.back().public_key.bytes) == text(pair["pub"]));
  }
  std::map<std::string, Stream> streams;
  for (const auto event : root["events"].get_array()) {
    const Time at{std::chrono::microseconds{u64(event["t_us"])}};
    const auto kind = text(event["event"]);
    if (kind == "bytes") {
      const std::string direction{text(event["dir"])};
      auto& stream = streams[direction];
      const auto bytes = hex(event["bytes"]);
      stream.bytes.insert(stream.bytes.end(), bytes.begin(), bytes.end());
      while (const auto frame = stream.next_frame()) {
        if (frame->empty() || (*frame)[0] != static_cast<std::byte>(wire::FrameType::traffic)) continue;
        const auto traffic = wire::TrafficView::decode(ByteSpan{*frame}.subspan(1));
        REQUIRE(traffic);
        transcript.events.push_back({.at = at, .kind = NodeEvent::Kind::packet, .index = transcript.packets.size()});
        transcript.packets.push_back({.at = at,
                                      .from = direction.substr(0, 1),
                                      .to = direction.substr(2, 1),
                                      .source = traffic->source,
                                      .dest = traffic->dest,
                                      .payload = to_bytes(traffic->payload)});
      }
      continue;
    }
    NodeEvent out{.at = at, .kind = {}};
    if (kind == "ipv6_out") {
      out.kind = NodeEvent::Kind::ipv6_out;
    } else if (kind == "ipv6_in") {
      out.kind = NodeEvent::Kind::ipv6_in;
    } else if (kind == "request") {
      out.kind = NodeEvent::Kind::request;
    } else if (kind == "response") {
      out.kind = NodeEvent::Kind::response;
    } else {
      continue;
    }
    out.node = text(event["node"]);
    if (has(event, "what")) out.what = text(event["what"]);
    if (has(event, "bytes")) out.bytes = hex(event["bytes"]);
    transcript.events.push_back(std::move(out));
  }
  return transcript;
}

const crypto::BoxKeyPair* Transcript::box_key(const crypto::BoxPublicKey& key) const {
  const auto found = std::ranges::find(box_keys, key, &crypto::BoxKeyPair::public_key);
  return found == box_keys.end() ? nullptr : &*found;
}

}  // namespace axl::test
