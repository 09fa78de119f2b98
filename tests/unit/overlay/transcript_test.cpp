// Plays recorded conversations of whole nodes: every node gets the frames that reached it, ticks where the recorded one
// must have, and has to write the recorded bytes on every link, deliver the same and end in the same state.
//
// The recordings show neither ticks nor when a frame was read. A node's tick falls into a narrow window after the last
// one, a frame is read within a few milliseconds of its arrival; each happens as soon as a recorded frame asks for it,
// or at the end of its window.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <limits>
#include <set>

#include "overlay/protocol.hpp"
#include "overlay_support.hpp"

using namespace axl;
using namespace axl::overlay;
using namespace axl::overlay::test;
using namespace std::chrono_literals;

namespace {

using Element = simdjson::dom::element;

constexpr Duration kTick = 1000600us;   // a little is lost each time
constexpr Duration kTickEarly = 980ms;  // the window
constexpr Duration kTickLate = 1030ms;
constexpr Duration kSameTick = 8ms;     // frames of one tick lie this close together
constexpr Duration kReadLate = 1200us;  // from arrival to reading, at most
constexpr Duration kTimerLate = 1ms;    // a timer that is due just before a tick fires behind it

Time time_of(Element event) {
  return Time{std::chrono::duration_cast<Duration>(
      std::chrono::duration<double, std::milli>{event["t_ms"].get_double().value()})};
}

Bytes message_of(Element event) {
  const auto frame = hex(event["hex"]);
  const auto prefix = wire::read_uvarint_prefix(frame);
  REQUIRE(prefix.size + prefix.value == frame.size());
  return to_bytes(ByteSpan{frame}.subspan(prefix.size));
}

bool is(const Bytes& message, wire::FrameType type) {
  return message.front() == std::byte{static_cast<unsigned char>(type)};
}

// Gives what was planned for the step; what nobody ever saw may be anything.
class PlannedRng final : public Rng {
 public:
  void plan(std::vector<std::uint64_t> values) { values_.assign(values.begin(), values.end()); }
  void fill(MutableByteSpan out) override {
    const auto value = values_.empty() ? std::uint64_t{0x1234} : values_.front();
    if (!values_.empty()) values_.pop_front();
    std::memcpy(out.data(), &value, out.size());
  }

 private:
  std::deque<std::uint64_t> values_;
};

struct Node {
  Node(const Config& config, const PrivateKey& key, Duration unix_at_zero)
      : protocol{config, key, verifier(), rng, unix_at_zero} {}

  PlannedRng rng;
  Protocol protocol;
  Time last_tick;
  Time started;
  std::map<LinkId, std::deque<Bytes>> to_write;
  std::map<LinkId, std::size_t> unordered;  // announcements at the head of to_write that may come in any order
  std::deque<std::pair<PublicKey, Bytes>> delivered;
  std::deque<PublicKey> found;
  std::map<LinkId, Time> asked;  // when the last SigReq was written

  void collect() {
    auto out = drain([this] { return protocol.out().pop(); });
    for (auto& [link, messages] : out.frames) {
      for (auto& message : messages) to_write[link].push_back(std::move(message));
    }
    for (auto& datagram : out.delivered) delivered.push_back(std::move(datagram));
    for (const auto& key : out.found) found.push_back(key);
  }
};

class Player {
 public:
  struct FirstLife {
    Duration started{};
    std::optional<Duration> router_refresh;
  };
  explicit Player(const std::string& name, const std::map<std::string, FirstLife>& first_lives = {})
      : log_{load_vectors(name)} {
    config_ = Config::reference();
    config_.router_refresh = seconds("router_refresh_s");
    config_.router_timeout = seconds("router_timeout_s");
    config_.path_timeout = seconds("path_timeout_s");
    config_.path_throttle = seconds("path_throttle_s");
    for (const auto entry : log_["nodes"].get_array()) {
      const std::string node{text(entry["name"])};
      keys_.emplace(node, key_of_seed(hex(entry["seed"])));
      REQUIRE(keys_.at(node).public_key() == public_key(entry["public"]));
    }
    for (const auto event : log_["events"].get_array()) events_.push_back(event);
    find_unix_start();
    for (const auto& [node, key] : keys_) {
      const auto life = first_lives.contains(node) ? first_lives.at(node) : FirstLife{};
      auto config = config_;
      if (life.router_refresh) config.router_refresh = *life.router_refresh;
      start(node, Time{life.started}, config);
    }
  }

  [[nodiscard]] const Config& config() const { return config_; }

  void play() {
    for (at_ = 0; at_ < events_.size(); ++at_) {
      const auto event = events_[at_];
      const auto kind = text(event["event"]);
      const auto now = time_of(event);
      INFO("event " << at_ << " at " << event["t_ms"].get_double().value() << " ms: " << kind);
      arrive_until(now);
      if (kind == "frame") {
        on_frame(event, now);
      } else if (kind == "link_up") {
        on_link_up(event);
      } else if (kind == "link_end") {
        on_link_end(event, now);
      } else if (kind == "restart") {
        restarting_.insert(std::string{text(event["node"])});
        nodes_.erase(std::string{text(event["node"])});
      } else if (kind == "write_to") {
        auto& node = node_of(event["node"]);
        auto payload = Buffer::copy_of(as_bytes(text(event["payload"])), Buffer::kHeadroom);
        CHECK(node.protocol.routing().send(key_of(event["dest"]), std::move(payload), now).ok());
        node.collect();
      } else if (kind == "send_lookup") {
        auto& node = node_of(event["node"]);
        node.protocol.routing().send_lookup(target_of(text(event["target"])), now);
        node.collect();
      } else if (kind == "deliver") {
        auto& delivered = node_of(event["node"]).delivered;
        read_until(std::string{text(event["node"])}, now, [&] { return !delivered.empty(); });
        REQUIRE_FALSE(delivered.empty());
        CHECK(delivered.front().first == key_of(event["from"]));
        CHECK(as_text(delivered.front().second) == text(event["payload"]));
        delivered.pop_front();
      } else if (kind == "path_notify") {
        auto& found = node_of(event["node"]).found;
        read_until(std::string{text(event["node"])}, now, [&] { return !found.empty(); });
        REQUIRE_FALSE(found.empty());
        CHECK(found.front() == key_of(event["key"]));
        found.pop_front();
      } else if (kind == "snapshot") {
        for (const auto [name, state] : event["nodes"].get_object()) {
          INFO("node " << name);
          check_state(*nodes_.at(std::string{name}), state);
        }
        ++snapshots_;
      }
    }
    CHECK(frames_ != 0);
    for (const auto& [name, node] : nodes_) {
      INFO("left over at " << name);
      CHECK(node->delivered.empty());
      CHECK(node->found.empty());
      for (const auto& [link, messages] : node->to_write) CHECK(messages.empty());
    }
  }
  [[nodiscard]] std::size_t frames() const { return frames_; }
  [[nodiscard]] std::size_t snapshots() const { return snapshots_; }

 private:
  struct Arrival {
    Time time;
    std::string to;
    LinkId link;
    Bytes message;
  };

  Duration seconds(const char* name) { return std::chrono::seconds{u64(log_["options"][name])}; }
  static LinkId link_of(Element event) { return LinkId{static_cast<std::uint32_t>(u64(event["link"]))}; }
  PublicKey key_of(Element name) { return keys_.at(std::string{text(name)}).public_key(); }
  std::string name_of(const PublicKey& key) {
    for (const auto& [name, mine] : keys_) {
      if (mine.public_key() == key) return name;
    }
    return "?";
  }
  Node& node_of(Element name) { return *nodes_.at(std::string{text(name)}); }
  PublicKey target_of(std::string_view target) {
    constexpr std::string_view kPrefix = "transform(";
    if (!target.starts_with(kPrefix)) return keys_.at(std::string{target}).public_key();
    target = target.substr(kPrefix.size(), target.size() - kPrefix.size() - 1);
    return transform_key(keys_.at(std::string{target}).public_key(), KeyTransform::subnet);
  }

  void start(const std::string& name, Time now, const Config& config) {
    nodes_[name] = std::make_unique<Node>(config, keys_.at(name), unix_at_zero_);
    nodes_[name]->started = nodes_[name]->last_tick = now;
    tick(name, now, {});
    nodes_[name]->last_tick = now;
  }

  // What of a second had passed at the start of the recording: such that every signed second comes out right.
  void find_unix_start() {
    auto low = Duration{std::chrono::seconds{u64(log_["start_unix_seconds"])}};
    auto high = low + 1s;
    for (const auto event : events_) {
      if (text(event["event"]) != "frame" || text(event["type"]) != "PathNotify") continue;
      if (text(event["fields"]["source"]) != text(event["from"])) continue;
      const auto start =
          Duration{std::chrono::seconds{u64(event["fields"]["info_seq"])}} - time_of(event).time_since_epoch();
      low = std::max(low, start);
      high = std::min(high, start + 1s);
    }
    REQUIRE(low < high);
    unix_at_zero_ = low + (high - low) / 2;
  }

  // Numbers that a node drew for its announcement as root number `seq`, if that was ever sent in this life.
  std::optional<std::uint64_t> root_nonce(const std::string& name, std::uint64_t seq, Time started) {
    for (const auto event : events_) {
      if (text(event["event"]) != "frame" || text(event["type"]) != "Announce" || text(event["from"]) != name) continue;
      const auto fields = event["fields"];
      if (time_of(event) < started || text(fields["key"]) != name || text(fields["parent"]) != name) continue;
      if (u64(fields["seq"]) == seq) return u64(fields["nonce"]);
    }
    return std::nullopt;
  }

  void tick(const std::string& name, Time now, const std::map<PublicKey, wire::SigReq>& requests) {
    auto& node = *nodes_.at(name);
    const auto* own = node.protocol.tree().infos().find(keys_.at(name).public_key());
    const auto next_seq =
        requests.empty() ? (own == nullptr ? 1 : own->announce.seq + 1) : requests.begin()->second.seq - 1;
    std::vector<std::uint64_t> nonces;
    if (const auto nonce = root_nonce(name, next_seq, node.started)) nonces.push_back(*nonce);
    for (const auto& [key, request] : requests) nonces.push_back(request.nonce);
    node.rng.plan(nonces);
    node.protocol.run_due(now - kTimerLate);
    node.protocol.tick(Tree::TickKind::regular, now);
    node.collect();
  }

  // Runs ticks and reads frames whose window is over.
  void arrive_until(Time now) {
    while (!arrivals_.empty() && arrivals_.front().time + kReadLate <= now) {
      late_ticks(arrivals_.front().time);
      read(arrivals_.begin());
    }
    late_ticks(now);
  }

  using Arrivals = std::deque<Arrival>;
  void read(Arrivals::iterator place) {
    const auto arrival = *place;
    arrivals_.erase(place);
    if (!nodes_.contains(arrival.to)) return;
    auto& node = *nodes_.at(arrival.to);
    if (node.protocol.neighbours().by_link(arrival.link) == nullptr) return;
    std::optional<Duration> rtt;
    if (is(arrival.message, wire::FrameType::sig_res)) rtt = arrival.time - node.asked[arrival.link];
    REQUIRE(node.protocol.message(arrival.link, arrival.message, arrival.time, rtt).ok());
    node.collect();
  }

  // Reads what has arrived at a node, frame by frame, until something is there.
  template <class Ready>
  void read_until(const std::string& name, Time now, Ready ready) {
    while (!ready()) {
      const auto next = std::ranges::find(arrivals_, name, &Arrival::to);
      if (next == arrivals_.end() || next->time > now) return;
      read(next);
    }
  }

  void late_ticks(Time now) {
    for (auto& [name, node] : nodes_) {
      while (node->last_tick + kTick <= now && !tick_shows(name, *node)) {
        node->last_tick += kTick;
        tick(name, node->last_tick, {});
      }
    }
  }

  static bool of_tick(std::string_view type) { return type == "SigReq" || type == "Announce" || type == "BloomFilter"; }

  // Whether a frame yet to come says when the node's next tick ran.
  bool tick_shows(const std::string& name, const Node& node) {
    for (auto i = at_; i < events_.size() && time_of(events_[i]) < node.last_tick + kTickLate; ++i) {
      const auto event = events_[i];
      if (text(event["event"]) != "frame" || text(event["from"]) != name || !of_tick(text(event["type"]))) continue;
      if (time_of(event) > node.last_tick + kTickEarly) return true;
    }
    return false;
  }

  void on_frame(Element event, Time now) {
    const auto message = message_of(event);
    if (is(message, wire::FrameType::keepalive)) return;  // not this layer's
    const std::string from{text(event["from"])};
    const auto link = link_of(event);
    auto& node = *nodes_.at(from);
    auto& to_write = node.to_write[link];
    if (!of_tick(text(event["type"]))) read_until(from, now, [&] { return !to_write.empty(); });
    if (to_write.empty() && now - node.last_tick > kTickEarly) {
      node.last_tick = now;
      tick(from, now, requests_of_tick(from, now));
    }
    read_until(from, now, [&] { return !to_write.empty(); });
    REQUIRE_FALSE(to_write.empty());
    auto place = to_write.begin();
    if (auto& unordered = node.unordered[link]; unordered > 0) {
      place = std::find(to_write.begin(), to_write.begin() + static_cast<std::ptrdiff_t>(unordered), message);
      --unordered;
    }
    CHECK(to_hex(*place) == to_hex(message));
    to_write.erase(place);
    if (is(message, wire::FrameType::sig_req)) node.asked[link] = now;
    const Arrival arrival{now + delays_.at(link), std::string{text(event["to"])}, link, message};
    const auto behind = std::ranges::upper_bound(arrivals_, arrival.time, {}, &Arrival::time);
    arrivals_.insert(behind, arrival);
    ++frames_;
  }

  std::map<PublicKey, wire::SigReq> requests_of_tick(const std::string& name, Time now) {
    std::map<PublicKey, wire::SigReq> requests;
    for (auto i = at_; i < events_.size() && time_of(events_[i]) < now + kSameTick; ++i) {
      const auto event = events_[i];
      if (text(event["event"]) != "frame" || text(event["type"]) != "SigReq" || text(event["from"]) != name) continue;
      requests[key_of(event["to"])] = {u64(event["fields"]["seq"]), u64(event["fields"]["nonce"])};
    }
    return requests;
  }

  // Each end notices a link when it writes its first frame there: that decides which port it gives.
  void on_link_up(Element event) {
    const auto link = link_of(event);
    delays_[link] = std::chrono::milliseconds{u64(event["one_way_delay_ms"])};
    for (const auto& [own_end, other_end] : {std::pair{"a", "b"}, std::pair{"b", "a"}}) {
      const std::string name{text(event[own_end])};
      if (restarting_.erase(name) != 0) start(name, time_of(event), config_);
      noticed_.push_back(
          {link, name, std::string{text(event[other_end])}, static_cast<std::uint8_t>(u64(event["priority"]))});
    }
    const auto is_link_up = [](Element other) { return text(other["event"]) == "link_up"; };
    if (at_ + 1 < events_.size() && is_link_up(events_[at_ + 1])) return;  // several at once: together
    for (auto i = at_; i < events_.size() && !noticed_.empty(); ++i) {
      if (text(events_[i]["event"]) != "frame") continue;
      const auto end = std::ranges::find_if(noticed_, [&](const Noticed& one) {
        return one.link == link_of(events_[i]) && one.name == text(events_[i]["from"]);
      });
      if (end == noticed_.end()) continue;
      link_up(*end, i);
      noticed_.erase(end);
    }
    REQUIRE(noticed_.empty());
  }

  struct Noticed {
    LinkId link;
    std::string name;
    std::string neighbour;
    std::uint8_t priority;
  };

  void link_up(const Noticed& end, std::size_t first_frame) {
    auto& node = *nodes_.at(end.name);
    for (auto i = first_frame; i < events_.size(); ++i) {
      const auto event = events_[i];
      if (text(event["event"]) != "frame" || text(event["type"]) != "SigReq") continue;
      if (link_of(event) != end.link || text(event["from"]) != end.name) continue;
      node.rng.plan({u64(event["fields"]["nonce"])});
      break;
    }
    const auto& key = keys_.at(end.neighbour).public_key();
    REQUIRE(node.protocol.link_up(end.link, key, end.priority).ok());
    node.collect();
    const auto& to_write = node.to_write[end.link];
    node.unordered[end.link] = static_cast<std::size_t>(
        std::ranges::find_if(to_write, [](const Bytes& m) { return !is(m, wire::FrameType::announce); }) -
        to_write.begin());
  }

  void on_link_end(Element event, Time now) {
    const std::string name{text(event["node"])};
    if (!nodes_.contains(name)) return;
    auto& node = *nodes_.at(name);
    const auto link = link_of(event);
    static_cast<void>(now);
    CHECK(node.to_write[link].empty());
    node.to_write.erase(link);
    node.protocol.link_down(link);
    node.collect();
  }

  void check_state(Node& node, Element state) {
    auto& tree = node.protocol.tree();
    const auto& own = tree.infos().find(node.protocol.own_key())->announce;
    CHECK(name_of(own.parent) == text(state["parent"]));
    CHECK(own.seq == u64(state["seq"]));
    CHECK(name_of(tree.position().root) == text(state["root"]));
    CHECK(tree.coords() == path(state["coords"]));
    std::vector<std::string> infos;
    for (const auto& [key, entry] : tree.infos().entries()) {
      infos.push_back(name_of(key) + " parent=" + name_of(entry.announce.parent) +
                      " seq=" + std::to_string(entry.announce.seq) + " port=" + std::to_string(entry.announce.port));
    }
    std::ranges::sort(infos);
    std::vector<std::string> expected;
    for (const auto info : state["infos"].get_array()) expected.emplace_back(text(info));
    CHECK(infos == expected);
    std::size_t links = 0;
    for (const auto link : state["links"].get_array()) {
      const auto* neighbour = node.protocol.neighbours().find(key_of(link["key"]));
      REQUIRE(neighbour != nullptr);
      CHECK(static_cast<std::uint64_t>(neighbour->port) == u64(link["port"]));
      CHECK(node.protocol.filters().on_tree(neighbour->key) == link["on_tree"].get_bool().value());
      CHECK(std::ranges::count(neighbour->links, u64(link["priority"]), &Link::priority) != 0);
      ++links;
    }
    std::size_t ours = 0;
    for (const auto& [key, neighbour] : node.protocol.neighbours().all()) ours += neighbour.links.size();
    CHECK(ours == links);
    std::size_t paths = 0;
    for (const auto [name, known] : state["paths"].get_object()) {
      const auto* found = node.protocol.routing().pathfinder().find(keys_.at(std::string{name}).public_key());
      REQUIRE(found != nullptr);
      CHECK(found->coords == path(known["path"]));
      CHECK(found->seq == u64(known["seq"]));
      CHECK(found->broken == known["broken"].get_bool().value());
      ++paths;
    }
    CHECK(node.protocol.routing().pathfinder().path_count() == paths);
  }

  Element log_;
  Config config_;
  std::vector<Element> events_;
  std::size_t at_ = 0;
  Duration unix_at_zero_{};
  std::map<std::string, PrivateKey> keys_;
  std::map<std::string, std::unique_ptr<Node>> nodes_;
  std::set<std::string> restarting_;
  Arrivals arrivals_;
  std::map<LinkId, Duration> delays_;
  std::vector<Noticed> noticed_;
  std::size_t frames_ = 0;
  std::size_t snapshots_ = 0;
};

}  // namespace

TEST_CASE("transcript: two nodes from the first byte", "[overlay]") {
  Player player{"routing/transcript_pair.json"};
  player.play();
  CHECK(player.frames() == 24);
  CHECK(player.snapshots() == 2);
}

TEST_CASE("transcript: renewals of root and child, and self-rooting", "[overlay]") {
  Player player{"routing/transcript_refresh.json"};
  player.play();
  CHECK(player.snapshots() == 17);
}

TEST_CASE("transcript: a restarted node learns its own old announcement", "[overlay]") {
  Player player{"routing/transcript_restart.json", {{"B", {.started = 3ms, .router_refresh = 2s}}}};
  player.play();
}

TEST_CASE("transcript: two links between the same nodes", "[overlay]") {
  Player player{"routing/transcript_parallel_links.json"};
  player.play();
}

TEST_CASE("transcript: five nodes in a line, a cut, a stale path", "[overlay]") {
  Player player{"routing/transcript_line5.json"};
  player.play();
}
