// Recordings of real nodes: first opened with the keys they drew, then repeated by ours with those keys, so that every
// packet that left a node leaves ours with the same bytes.
#include "transcript.hpp"

#include <catch2/catch_test_macros.hpp>
#include <deque>
#include <set>

#include "e2e/engine.hpp"
#include "e2e/ipv6.hpp"
#include "e2e/session_manager.hpp"
#include "support.hpp"

using namespace axl;
using namespace axl::test;
using axl::e2e::Engine;
using axl::e2e::PacketType;
using axl::e2e::SessionManager;

namespace {

using BoxKeys = std::map<std::uint64_t, crypto::BoxPublicKey>;  // by number, of one node towards another

struct Opened {
  std::map<std::pair<PublicKey, PublicKey>, std::vector<Bytes>> payloads;  // by source and destination, in order
  std::map<PublicKey, std::set<crypto::BoxPublicKey>> drawn_by;
  std::size_t traffic = 0;
};

// "S's public key number a is in its last Init/Ack or is the inner key of its previous epoch's Traffic."
Opened open_all(const Transcript& transcript) {
  Opened opened;
  std::map<std::pair<PublicKey, PublicKey>, BoxKeys> announced;
  std::set<std::string> seen;  // a packet through a transit node is on two links
  for (const auto& packet : transcript.packets) {
    if (!seen.insert(to_hex(packet.payload)).second) continue;
    const auto sender = std::pair{packet.source, packet.dest};
    const auto receiver = std::pair{packet.dest, packet.source};
    auto& drawn = opened.drawn_by[packet.source];
    const auto type = static_cast<PacketType>(packet.payload.at(0));
    if (type == PacketType::init || type == PacketType::ack) {
      crypto::BoxPublicKey one_time;
      std::ranges::copy(ByteSpan{packet.payload}.subspan(1, 32), one_time.bytes.begin());
      const auto dest =
          std::ranges::find(transcript.keys, packet.dest, [](const auto& node) { return node.second.public_key(); });
      REQUIRE(dest != transcript.keys.end());
      const auto handshake = e2e::open_handshake(packet.payload, packet.source, crypto::to_x25519(dest->second));
      REQUIRE(handshake);
      announced[sender][handshake->key_seq] = handshake->current;
      announced[sender][handshake->key_seq + 1] = handshake->next;
      drawn.insert({one_time, handshake->current, handshake->next});
      continue;
    }
    REQUIRE(type == PacketType::traffic);
    ++opened.traffic;
    const auto header = e2e::TrafficHeader::decode(packet.payload);
    REQUIRE(header);
    const auto* ours = transcript.box_key(announced[receiver].at(header->receiver_key));
    REQUIRE(ours != nullptr);
    const auto shared = crypto::box_shared(announced[sender].at(header->sender_key), ours->private_key);
    REQUIRE(shared);
    auto buffer = Buffer::copy_of(packet.payload);
    const auto next = e2e::open_traffic(buffer, *header, *shared);
    REQUIRE(next);
    announced[sender][header->sender_key + 1] = *next;
    drawn.insert(*next);
    opened.payloads[sender].push_back(to_bytes(buffer));
  }
  return opened;
}

// A node of ours in the place of a recorded one. A session's first keys never leave their node; where the recording
// does not say whose they are, any keys will do in their place.
class Replayed {
 public:
  Replayed(const Transcript& transcript, const Opened& opened, const std::string& name)
      : key_{transcript.keys.at(name).public_key()} {
    const auto& drawn = opened.drawn_by.at(key_);
    for (const auto& pair : transcript.box_keys) {
      if (drawn.contains(pair.public_key)) rng.feed(to_bytes(pair.private_key.bytes()));
    }
  }
  virtual ~Replayed() = default;

  void get(const RoutedPacket& packet, Time now) {
    const auto type = static_cast<PacketType>(packet.payload.at(0));
    if ((type == PacketType::init || type == PacketType::ack) && !has_session(packet.source)) {
      rng.put_in_front(is_opening(packet.source) ? 3 : 2);
    }
    take(packet.source, Buffer::copy_of(packet.payload), now);
    collect();
  }
  /// The recorded packet is the next of ours to that node, but for those that the path search below has swallowed.
  void sent(const RoutedPacket& packet) {
    auto& queue = sent_[packet.dest];
    while (!queue.empty() && queue.front() != packet.payload) {
      queue.pop_front();
      ++swallowed;
    }
    REQUIRE_FALSE(queue.empty());
    queue.pop_front();
    ++matched;
  }
  void finish() {
    for (const auto& [dest, queue] : sent_) CHECK(queue.empty());
    CHECK(rng.exhausted());
  }

  class NodeRng final : public Rng {
   public:
    void feed(Bytes key) { keys_.push_back(std::move(key)); }
    void put_in_front(std::size_t count) { keys_.insert(keys_.begin(), count, Bytes(32, std::byte{0x55})); }
    void fill(MutableByteSpan out) override {
      // A key drawn in the last step of a recording is on no packet.
      if (keys_.empty()) keys_.emplace_back(32, std::byte{0x66});
      std::ranges::copy(keys_.front(), out.begin());
      keys_.pop_front();
    }
    [[nodiscard]] bool exhausted() const { return keys_.empty(); }

   private:
    std::deque<Bytes> keys_;
  };

  NodeRng rng;
  std::vector<Bytes> received;  // IPv6 packets
  std::size_t swallowed = 0;
  std::size_t matched = 0;

 protected:
  virtual void take(const PublicKey& source, Buffer packet, Time now) = 0;
  virtual void collect() = 0;
  [[nodiscard]] virtual bool has_session(const PublicKey& remote) const = 0;
  [[nodiscard]] virtual bool is_opening(const PublicKey& remote) const = 0;

  PublicKey key_;
  std::map<PublicKey, std::deque<Bytes>> sent_;
  std::set<PublicKey> opening_;
};

class ReplayedEngine final : public Replayed {
 public:
  ReplayedEngine(const Transcript& transcript, const Opened& opened, const std::string& name, e2e::Config config)
      : Replayed{transcript, opened, name},
        transcript_{transcript},
        engine_{config, transcript.keys.at(name), rng, transcript.unix_at_zero, Time{}} {
    engine_.set_routing_entries(2);
  }
  void ipv6_out(const Bytes& packet, Time now) {
    const auto addresses = e2e::Ipv6Addresses::of(packet);
    REQUIRE(addresses);
    const auto dest = std::ranges::find(transcript_.keys, addresses->dest,
                                        [](const auto& node) { return Address::of(node.second.public_key()); });
    REQUIRE(dest != transcript_.keys.end());
    const auto key = dest->second.public_key();
    if (!has_session(key)) opening_.insert(key);
    REQUIRE(engine_.send_to_address(Buffer::copy_of(packet, Buffer::kHeadroom), now));
    collect();
    engine_.on_path_found(key, now);
    collect();
  }

 private:
  void take(const PublicKey& source, Buffer packet, Time now) override {
    now_ = now;
    engine_.on_packet(source, std::move(packet), now);
  }
  void collect() override {
    while (auto output = engine_.poll_output()) {
      if (auto* packet = std::get_if<Engine::SendPacket>(&*output)) {
        sent_[packet->dest].push_back(to_bytes(packet->payload));
      } else if (auto* delivered = std::get_if<Engine::DeliverPacket>(&*output)) {
        received.push_back(to_bytes(delivered->packet));
      } else if (const auto* wanted = std::get_if<Engine::KeysWanted>(&*output)) {
        answer(*wanted);
      }
    }
  }
  void answer(const Engine::KeysWanted& wanted) {
    const std::string what = wanted.response_type == 4 ? "getpeers" : "gettree";
    const auto response = std::ranges::find_if(transcript_.events, [&](const NodeEvent& event) {
      return event.kind == NodeEvent::Kind::response && event.what == what;
    });
    REQUIRE(response != transcript_.events.end());
    std::vector<PublicKey> keys;
    for (std::size_t at = 0; at < response->bytes.size(); at += 32) {
      keys.emplace_back(ByteSpan{response->bytes}.subspan(at).first<32>());
    }
    engine_.answer_keys(wanted.asker, wanted.response_type, keys, now_);
  }
  [[nodiscard]] bool has_session(const PublicKey& remote) const override { return engine_.is_open(remote); }
  [[nodiscard]] bool is_opening(const PublicKey& remote) const override { return opening_.contains(remote); }

  const Transcript& transcript_;
  Engine engine_;
  Time now_{};
};

// Session layer only: for the node that asks, which ours never does.
class ReplayedManager final : public Replayed {
 public:
  ReplayedManager(const Transcript& transcript, const Opened& opened, const std::string& name,
                  const e2e::Config& config)
      : Replayed{transcript, opened, name}, manager_{config, transcript.keys.at(name), rng, transcript.unix_at_zero} {}
  void send(const PublicKey& dest, ByteSpan payload, Time now) {
    REQUIRE(manager_.send(dest, Buffer::copy_of(payload, Buffer::kHeadroom), now));
    collect();
  }
  std::vector<Bytes> answers;

 private:
  void take(const PublicKey& source, Buffer packet, Time now) override {
    manager_.on_packet(source, std::move(packet), now);
  }
  void collect() override {
    while (auto output = manager_.poll_output()) {
      if (auto* packet = std::get_if<SessionManager::Send>(&*output)) {
        sent_[packet->dest].push_back(to_bytes(packet->packet));
      } else if (auto* delivered = std::get_if<SessionManager::Deliver>(&*output)) {
        const auto payload = delivered->payload.span();
        REQUIRE_FALSE(payload.empty());
        (payload[0] == std::byte{1} ? received : answers).push_back(to_bytes(payload.subspan(1)));
      }
    }
  }
  [[nodiscard]] bool has_session(const PublicKey& remote) const override { return manager_.is_open(remote); }
  [[nodiscard]] bool is_opening(const PublicKey& remote) const override {
    return manager_.openings().find(remote) != nullptr;
  }

  SessionManager manager_;
};

std::vector<Bytes> bytes_of(const Transcript& transcript, NodeEvent::Kind kind, const std::string& node) {
  std::vector<Bytes> found;
  for (const auto& event : transcript.events) {
    if (event.kind == kind && event.node == node) found.push_back(event.bytes);
  }
  return found;
}

Bytes request_of(std::string_view what) {
  return *from_hex(what == "nodeinfo"   ? "0201"
                   : what == "getself"  ? "02ff01"
                   : what == "getpeers" ? "02ff03"
                                        : "02ff05");
}

template <class Node, class Local>
void replay(const Transcript& transcript, const std::string& name, Node& node, Local&& local) {
  for (const auto& event : transcript.events) {
    if (event.kind == NodeEvent::Kind::packet) {
      const auto& packet = transcript.packets[event.index];
      const auto own = transcript.keys.at(name).public_key();
      if (packet.to == name && packet.dest == own) node.get(packet, event.at);
      if (packet.from == name && packet.source == own) node.sent(packet);
    } else if (event.node == name) {
      local(event);
    }
  }
  node.finish();
}

e2e::Config recorded_config() {
  auto config = e2e::Config::reference();
  config.node_info = R"({ "name": "node B" })";
  config.node_info_private = true;
  return config;
}

void replay_with_engine(const Transcript& transcript, const Opened& opened, const std::string& name,
                        std::size_t may_be_swallowed) {
  INFO("node " << name);
  ReplayedEngine node{transcript, opened, name, recorded_config()};
  replay(transcript, name, node, [&](const NodeEvent& event) {
    if (event.kind == NodeEvent::Kind::ipv6_out) node.ipv6_out(event.bytes, event.at);
  });
  CHECK(node.received == bytes_of(transcript, NodeEvent::Kind::ipv6_in, name));
  CHECK(node.swallowed <= may_be_swallowed);
  CHECK(node.matched > 0);
}

}  // namespace

TEST_CASE("transcripts: every packet of the two nodes opens with the recorded keys", "[e2e]") {
  const auto transcript = Transcript::load("session/transcript_two_nodes.json");
  const auto opened = open_all(transcript);
  const auto a = transcript.keys.at("A").public_key();
  const auto b = transcript.keys.at("B").public_key();
  std::vector<Bytes> a_to_b;
  for (const auto& payload : opened.payloads.at({a, b})) {
    if (payload.at(0) == std::byte{1}) a_to_b.emplace_back(payload.begin() + 1, payload.end());
  }
  CHECK(a_to_b == bytes_of(transcript, NodeEvent::Kind::ipv6_out, "A"));
  std::vector<Bytes> b_to_a;
  std::vector<Bytes> answers;
  for (const auto& payload : opened.payloads.at({b, a})) {
    if (payload.at(0) == std::byte{1}) b_to_a.emplace_back(payload.begin() + 1, payload.end());
    if (payload.at(0) == std::byte{2})
      answers.emplace_back(payload.begin() + (payload.at(1) == std::byte{2} ? 2 : 3), payload.end());
  }
  CHECK(b_to_a == bytes_of(transcript, NodeEvent::Kind::ipv6_in, "A"));
  CHECK(answers == bytes_of(transcript, NodeEvent::Kind::response, "A"));
  CHECK(opened.traffic > 25);
}

TEST_CASE("transcripts: our engine in the place of the node that answers sends the same bytes", "[e2e]") {
  const auto transcript = Transcript::load("session/transcript_two_nodes.json");
  replay_with_engine(transcript, open_all(transcript), "B", 0);
}

TEST_CASE("transcripts: our sessions in the place of the node that asks send the same bytes", "[e2e]") {
  const auto transcript = Transcript::load("session/transcript_two_nodes.json");
  const auto config = recorded_config();
  const auto b = transcript.keys.at("B").public_key();
  ReplayedManager node{transcript, open_all(transcript), "A", config};
  replay(transcript, "A", node, [&](const NodeEvent& event) {
    if (event.kind == NodeEvent::Kind::ipv6_out) {
      Bytes payload{std::byte{1}};
      payload.insert(payload.end(), event.bytes.begin(), event.bytes.end());
      node.send(b, payload, event.at);
    } else if (event.kind == NodeEvent::Kind::request) {
      node.send(b, request_of(event.what), event.at);
    }
  });
  CHECK(node.received == bytes_of(transcript, NodeEvent::Kind::ipv6_in, "A"));
  CHECK(node.answers.size() == 4);
  CHECK(node.swallowed == 0);
}

TEST_CASE("transcripts: our engine in the place of each of three nodes sends the same bytes", "[e2e]") {
  const auto transcript = Transcript::load("session/transcript_three_nodes.json");
  const auto opened = open_all(transcript);
  for (const auto* name : {"P", "Q", "R"}) replay_with_engine(transcript, opened, name, 0);
}
