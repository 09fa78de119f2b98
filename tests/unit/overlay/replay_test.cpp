// Drives the protocol step by step through a recorded log: every input that a reference node's router got, with the
// clock it read and the nonces it drew, and everything it did in that step must be what ours does.
//
// AXL_REPLAY=FILE replays another log of the same format.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <filesystem>
#include <limits>

#include "overlay/protocol.hpp"
#include "overlay_support.hpp"

using namespace axl;
using namespace axl::overlay;
using namespace axl::overlay::test;

namespace {

std::string log_name() {
  const char* file = std::getenv("AXL_REPLAY");
  return file == nullptr || *file == '\0' ? "routing/replay_mesh.json" : std::filesystem::absolute(file).string();
}

Duration seconds(simdjson::dom::element options, const char* name) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>{options[name].get_double().value()});
}

Config config_of(simdjson::dom::element options) {
  auto config = Config::reference();
  config.router_refresh = seconds(options, "router_refresh_s");
  config.router_timeout = seconds(options, "router_timeout_s");
  config.path_timeout = seconds(options, "path_timeout_s");
  config.path_throttle = seconds(options, "path_throttle_s");
  return config;
}

// The message in a frame: what stands behind the length.
Bytes message_of(simdjson::dom::element frame) {
  const auto bytes = hex(frame);
  const auto prefix = wire::read_uvarint_prefix(bytes);
  REQUIRE(prefix.status == wire::UvarintStatus::complete);
  REQUIRE(prefix.size + prefix.value == bytes.size());
  return to_bytes(ByteSpan{bytes}.subspan(prefix.size));
}

// The second that this node signed in a step, if it answered a lookup there.
std::optional<std::uint64_t> signed_second(simdjson::dom::element step, const PublicKey& own) {
  for (const auto output : step["outputs"].get_array()) {
    const auto message = message_of(output["frame"]);
    if (message.front() != std::byte{7}) continue;
    const auto notify = wire::PathNotify::decode(ByteSpan{message}.subspan(1));
    if (notify.ok() && notify->source == own) return notify->info.seq;
  }
  return std::nullopt;
}

// Unix time at the start of the node's clock, such that it gives every second that was signed, and every other recorded
// second that agrees with those: the recorder read its two clocks one after the other.
Duration unix_at_start(simdjson::dom::element node) {
  auto low = std::numeric_limits<std::int64_t>::min();
  auto high = std::numeric_limits<std::int64_t>::max();
  const auto narrow = [&](std::uint64_t unix_second, std::uint64_t now_us) {
    const auto start = static_cast<std::int64_t>(unix_second) * 1'000'000 - static_cast<std::int64_t>(now_us);
    const auto new_low = std::max(low, start);
    const auto new_high = std::min(high, start + 1'000'000);
    if (new_low >= new_high) return false;
    low = new_low;
    high = new_high;
    return true;
  };
  const auto own = public_key(node["public"]);
  for (const auto step : node["steps"].get_array()) {
    if (const auto second = signed_second(step, own)) REQUIRE(narrow(*second, u64(step["now_us"])));
  }
  for (const auto step : node["steps"].get_array()) narrow(u64(step["unix"]), u64(step["now_us"]));
  return std::chrono::microseconds{low + (high - low) / 2};
}

class Node {
 public:
  Node(simdjson::dom::element node, const Config& config)
      : key_{key_of_seed(hex(node["seed"]))}, protocol_{config, key_, verifier(), rng_, unix_at_start(node)} {
    REQUIRE(key_.public_key() == public_key(node["public"]));
  }

  // Returns what differs; empty if nothing does.
  std::string step(simdjson::dom::element step) {
    const Time now{std::chrono::microseconds{u64(step["now_us"])}};
    const auto expected = expected_frames(step);
    feed_nonces(step, expected);
    apply(step, now);
    auto got = drain([this] { return protocol_.out().pop(); });
    return compare(step, expected, got);
  }

 private:
  using Frames = std::map<LinkId, std::vector<Bytes>>;

  static LinkId link_of(simdjson::dom::element object) {
    return LinkId{static_cast<std::uint32_t>(u64(object["link"]))};
  }

  static Frames expected_frames(simdjson::dom::element step) {
    Frames frames;
    for (const auto output : step["outputs"].get_array()) {
      frames[link_of(output)].push_back(message_of(output["frame"]));
    }
    return frames;
  }

  // We draw the number of a self-rooting announcement first, then one per neighbour in key order. The log has the
  // neighbours in another order: each one's number is in its SigReq.
  void feed_nonces(simdjson::dom::element step, const Frames& expected) {
    rng_.clear();
    if (!axl::test::has(step, "nonces")) return;
    std::vector<std::uint64_t> drawn;
    for (const auto nonce : step["nonces"].get_array()) drawn.push_back(u64(nonce));
    std::map<PublicKey, std::uint64_t> requests;
    for (const auto& [link, messages] : expected) {
      for (const auto& message : messages) {
        if (message.front() != std::byte{2}) continue;
        const auto request = wire::SigReq::decode(ByteSpan{message}.subspan(1));
        REQUIRE(request.ok());
        const auto* neighbour = protocol_.neighbours().by_link(link);
        const auto key = neighbour == nullptr ? public_key(step["key"]) : neighbour->key;
        requests[key] = request->nonce;
      }
    }
    if (drawn.size() > requests.size()) rng_.expect(drawn.front());
    for (const auto& [key, nonce] : requests) {
      if (std::ranges::find(drawn, nonce) != drawn.end()) rng_.expect(nonce);
    }
    REQUIRE(rng_.left() == drawn.size());
  }

  void apply(simdjson::dom::element step, Time now) {
    const auto input = text(step["input"]);
    auto& pathfinder = protocol_.routing().pathfinder();
    auto& infos = protocol_.tree().infos();
    if (input == "tick") {
      protocol_.tick(Tree::TickKind::regular, now);
    } else if (input == "link_up") {
      const auto port =
          protocol_.link_up(link_of(step), public_key(step["key"]), static_cast<std::uint8_t>(u64(step["priority"])));
      REQUIRE(port.ok());
      CHECK(static_cast<std::uint64_t>(*port) == u64(step["port"]));
    } else if (input == "link_down") {
      protocol_.link_down(link_of(step));
    } else if (input == "frame") {
      std::optional<Duration> rtt;
      if (axl::test::has(step, "rtt_ns")) rtt = Duration{u64(step["rtt_ns"])};
      CHECK(protocol_.message(link_of(step), message_of(step["frame"]), now, rtt).ok());
    } else if (input == "send") {
      CHECK(protocol_.routing()
                .send(public_key(step["dest"]), Buffer::copy_of(hex(step["payload"]), Buffer::kHeadroom), now)
                .ok());
    } else if (input == "send_lookup") {
      protocol_.routing().send_lookup(public_key(step["target"]), now);
    } else if (input == "refresh_timer") {
      const auto* own = infos.find(key_.public_key());
      REQUIRE(own != nullptr);
      CHECK(own->due <= now);
      protocol_.info_due(key_.public_key());
    } else if (input == "info_expired") {
      const auto key = public_key(step["key"]);
      const auto* entry = infos.find(key);
      REQUIRE(entry != nullptr);
      CHECK(entry->due <= now);
      protocol_.info_due(key);
    } else if (input == "path_expired") {
      const auto key = public_key(step["key"]);
      const auto* known = pathfinder.find(key);
      REQUIRE(known != nullptr);
      CHECK(known->expires <= now);
      pathfinder.expire_path(key);
    } else if (input == "rumor_expired") {
      const auto before = pathfinder.rumor_count();
      pathfinder.expire_rumor(public_key(step["key"]));
      CHECK(pathfinder.rumor_count() + 1 == before);
    } else {
      FAIL("unknown input " << input);
    }
  }

  // A further link to a known key starts with announcements in any order.
  static void sort_leading_announces(std::vector<Bytes>& messages) {
    const auto end = std::ranges::find_if(messages, [](const Bytes& m) { return m.front() != std::byte{4}; });
    std::sort(messages.begin(), end);
  }

  // A member that is absent, one value, or a list of them.
  template <class Use>
  static void for_each(simdjson::dom::element step, const char* name, Use use) {
    if (!axl::test::has(step, name)) return;
    const simdjson::dom::element member = step[name];
    if (!member.is_array()) return use(member);
    for (const auto one : member.get_array()) use(one);
  }

  std::string compare(simdjson::dom::element step, Frames expected, Drained& got) {
    if (text(step["input"]) == "link_up") {
      sort_leading_announces(expected[link_of(step)]);
      sort_leading_announces(got.frames[link_of(step)]);
    }
    std::erase_if(expected, [](const auto& item) { return item.second.empty(); });
    std::erase_if(got.frames, [](const auto& item) { return item.second.empty(); });
    std::string differences;
    if (got.frames != expected) {
      for (const auto& [title, frames] : {std::pair{" expected:", &expected}, std::pair{" got:", &got.frames}}) {
        differences += title;
        for (const auto& [link, messages] : *frames) {
          for (const auto& message : messages) {
            differences += "\n  link " + std::to_string(static_cast<std::uint32_t>(link)) + " " + to_hex(message);
          }
        }
        differences += '\n';
      }
    }
    std::vector<std::pair<PublicKey, Bytes>> delivered;
    for_each(step, "deliver", [&](simdjson::dom::element one) {
      delivered.emplace_back(public_key(one["source"]), hex(one["payload"]));
    });
    if (got.delivered != delivered) differences += " deliveries differ\n";
    std::vector<PublicKey> found;
    for_each(step, "path_notify", [&](simdjson::dom::element one) { found.push_back(public_key(one)); });
    if (got.found != found) differences += " path notifications differ\n";
    if (rng_.left() != 0) differences += " fewer nonces drawn than recorded\n";
    return differences;
  }

  QueueRng rng_;
  PrivateKey key_;
  Protocol protocol_;
};

}  // namespace

TEST_CASE("replay: every recorded step of every node has the recorded outcome", "[overlay][replay]") {
  const auto log = load_vectors(log_name());
  const auto config = config_of(log["options"]);
  std::size_t steps = 0;
  std::size_t differing = 0;
  for (const auto recorded : log["nodes"].get_array()) {
    Node node{recorded, config};
    std::size_t number = 0;
    for (const auto step : recorded["steps"].get_array()) {
      INFO(text(recorded["name"]) << " step " << number << ", " << text(step["input"]));
      const auto differences = node.step(step);
      if (!differences.empty()) {
        ++differing;
        FAIL_CHECK(differences);
      }
      ++number;
    }
    CHECK(number != 0);
    steps += number;
  }
  CHECK(differing == 0);
  WARN(steps << " steps of " << log_name() << ", " << differing << " differences");
}
