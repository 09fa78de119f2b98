// Recorded streams between real nodes, through a Link of ours in the place of each receiver.
#include <catch2/catch_test_macros.hpp>
#include <map>

#include "link_pipe.hpp"

using namespace axl::link::test;
using axl::Bytes;
using axl::ByteSpan;
using axl::link::Link;
using axl::test::text;
using axl::wire::FrameType;

namespace {

struct Node {
  Bytes seed;
  axl::PublicKey key;
  std::string password;
};

struct Recording {
  std::map<std::string, Node> nodes;
  std::map<std::string, std::vector<Bytes>> streams;  // by link and direction, one entry per read
};

Recording load(const std::string& file) {
  const auto root = axl::test::load_vectors(file);
  Recording recording;
  for (auto n : root["nodes"].get_array()) {
    recording.nodes[std::string{text(n["name"])}] = {axl::test::hex(n["seed"]),
                                                     axl::PublicKey::from_hex(text(n["public_key"])).value(),
                                                     std::string{text(n["listen_password"])}};
  }
  for (auto event : root["events"].get_array()) {
    if (text(event["event"]) != "bytes") continue;
    const auto stream = std::string{text(event["link"])} + " " + std::string{text(event["dir"])};
    recording.streams[stream].push_back(axl::test::hex(event["bytes"]));
  }
  return recording;
}

axl::PrivateKey private_key(const Node& node) {
  return axl::PrivateKey::from_seed(std::span<const std::byte, 32>{node.seed});
}

bool decodes(FrameType type, ByteSpan body) {
  using namespace axl::wire;
  switch (type) {
    case FrameType::sig_req: return SigReq::decode(body).ok();
    case FrameType::sig_res: return SigRes::decode(body).ok();
    case FrameType::announce: {
      const auto announce = Announce::decode(body);
      return announce && announce->valid(axl::crypto::verify);
    }
    case FrameType::bloom_filter: return BloomFilter::decode(body).ok();
    case FrameType::path_lookup: return PathLookup::decode(body).ok();
    case FrameType::path_notify: return PathNotify::decode(body).ok();
    case FrameType::path_broken: return PathBroken::decode(body).ok();
    case FrameType::traffic: return TrafficView::decode(body).ok();
    case FrameType::dummy:
    case FrameType::keepalive: break;
  }
  return false;
}

/// What a frame looks like when its message is encoded again.
template <class Message>
std::string again(ByteSpan body) {
  return axl::to_hex(Message::decode(body).value().encode());
}

}  // namespace

TEST_CASE("link: the recorded streams of real nodes are read to the last byte", "[link]") {
  for (const auto* file : {"session/transcript_two_nodes.json", "session/transcript_three_nodes.json"}) {
    const auto recording = load(file);
    CHECK(recording.streams.size() >= 2);
    for (const auto& [name, reads] : recording.streams) {
      CAPTURE(file, name);
      const auto& sender = recording.nodes.at(name.substr(name.find(' ') + 1, 1));
      const auto& receiver = recording.nodes.at(name.substr(name.find('>') + 1, 1));
      // The listener's password guards the link; only one side of each has one.
      const auto password = receiver.password.empty() ? sender.password : receiver.password;
      Bytes stream;
      for (const auto& read : reads) stream.insert(stream.end(), read.begin(), read.end());
      std::vector<std::string> messages;
      for (const std::size_t piece : {std::size_t{1}, std::size_t{100}, stream.size()}) {
        End end{private_key(receiver), {.password = password}};
        end.feed(stream, t0, piece);
        REQUIRE(end.failure().empty());
        REQUIRE(end.established.size() == 1);
        CHECK(end.established[0].key == sender.key);
        CHECK(end.link.rx_bytes() == stream.size());
        REQUIRE_FALSE(end.messages.empty());
        if (messages.empty()) messages = end.messages;
        CHECK(end.messages == messages);
        for (std::size_t i = 0; i < end.messages.size(); ++i) {
          const auto message = axl::from_hex(end.messages[i]).value();
          const auto body = ByteSpan{message}.subspan(1);
          REQUIRE(decodes(end.types[i], body));
          if (end.types[i] == FrameType::announce) CHECK(again<axl::wire::Announce>(body) == end.messages[i]);
          if (end.types[i] == FrameType::path_notify) CHECK(again<axl::wire::PathNotify>(body) == end.messages[i]);
        }
      }
      // The frames, keepalives among them, fill the stream behind the handshake exactly.
      axl::link::FrameReader reader;
      ByteSpan rest = ByteSpan{stream}.subspan(123);
      std::size_t size = 0;
      while (const auto message = reader.next(rest).value()) {
        size += message->size() + axl::wire::uvarint_size(message->size());
      }
      CHECK(size + 123 == stream.size());
    }
  }
}

TEST_CASE("link: our handshake is the recorded node's, byte for byte", "[link]") {
  const auto recording = load("session/transcript_two_nodes.json");
  const auto& a = recording.nodes.at("A");
  const auto& b = recording.nodes.at("B");
  End dialler{private_key(a), {.priority = 1, .password = b.password}};
  End listener{private_key(b), {.priority = 3, .password = b.password}};
  const auto starts_with = [&](const std::string& direction, const Bytes& meta) {
    const auto& first = recording.streams.at("AB " + direction).front();
    return first.size() >= meta.size() && std::equal(meta.begin(), meta.end(), first.begin());
  };
  const auto from_a = dialler.drain();
  const auto from_b = listener.drain();
  CHECK(starts_with("A>B", from_a));
  CHECK(starts_with("B>A", from_b));
  dialler.feed(from_b);
  listener.feed(from_a);
  CHECK(dialler.established.at(0).priority == 3);
  CHECK(listener.established.at(0).priority == 3);
}
