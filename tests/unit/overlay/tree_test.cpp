#include "overlay/tree.hpp"

#include <catch2/catch_test_macros.hpp>

#include "overlay/hop_index.hpp"
#include "overlay_support.hpp"

using namespace axl;
using namespace axl::overlay;
using namespace axl::overlay::test;

namespace {

wire::Announce unsigned_announce(const PublicKey& key, const PublicKey& parent, std::uint64_t seq, std::uint64_t port) {
  wire::Announce announce;
  announce.key = key;
  announce.parent = parent;
  announce.seq = seq;
  announce.port = port;
  return announce;
}

wire::Announce announce_of(simdjson::dom::element fields) {
  wire::Announce announce;
  announce.key = public_key(fields["key"]);
  announce.parent = public_key(fields["parent"]);
  announce.seq = u64(fields["seq"]);
  announce.nonce = u64(fields["nonce"]);
  announce.port = u64(fields["port"]);
  std::ranges::copy(hex(fields["psig"]), announce.psig.bytes.begin());
  std::ranges::copy(hex(fields["sig"]), announce.sig.bytes.begin());
  return announce;
}

}  // namespace

TEST_CASE("announce: the recorded bodies are valid or not", "[overlay]") {
  for (const auto entry : load_vectors("routing/announce.json")["check"].get_array()) {
    INFO(text(entry["name"]));
    const auto announce = wire::Announce::decode(hex(entry["body"]));
    REQUIRE(announce.ok());
    CHECK(announce->valid(verifier()) == entry["valid"].get_bool().value());
  }
}

TEST_CASE("announce: which of two replaces the other is decided as recorded", "[overlay]") {
  const auto own = test_key("K8");
  std::size_t checked = 0;
  for (const auto entry : load_vectors("routing/announce.json")["update"].get_array()) {
    INFO(text(entry["name"]));
    const auto incoming = announce_of(entry["incoming"]);
    const bool accepted = entry["accepted"].get_bool().value();
    Neighbours neighbours;
    const auto config = Config::reference();
    CountingRng rng;
    const auto verify = verifier();
    Tree tree{config, own, verify, rng, neighbours};
    const auto& from = *neighbours.add_link(LinkId{1}, test_key("K7").public_key(), 0)->neighbour;
    if (axl::test::has(entry, "stored")) {
      const auto stored = announce_of(entry["stored"]);
      REQUIRE(tree.on_announce(from, stored, Time{}).ok());
      CHECK(supersedes(incoming, stored) == accepted);
    }
    const auto verdict = tree.on_announce(from, incoming, Time{});
    REQUIRE(verdict.ok());
    CHECK((*verdict == Tree::Verdict::accepted) == accepted);
    CHECK((tree.infos().find(incoming.key)->announce == incoming) ==
          (accepted || (axl::test::has(entry, "stored") && announce_of(entry["stored"]) == incoming)));
    ++checked;
  }
  CHECK(checked == 10);
}

TEST_CASE("tree: distances are the recorded ones", "[overlay]") {
  for (const auto entry : load_vectors("routing/tree.json")["distance"].get_array()) {
    const auto a = path(entry["dest_path"]);
    const auto b = path(entry["node_path"]);
    CHECK(tree_distance(a, b) == u64(entry["dist"]));
    CHECK(tree_distance(b, a) == u64(entry["dist"]));
  }
}

TEST_CASE("tree: ancestry, root, depth and coordinates are the recorded ones", "[overlay]") {
  for (const auto tree : load_vectors("routing/tree.json")["trees"].get_array()) {
    INFO(text(tree["name"]));
    Infos infos;
    const auto key_of = [](simdjson::dom::element name) { return test_key(text(name)).public_key(); };
    for (const auto info : tree["infos"].get_array()) {
      infos.store(unsigned_announce(key_of(info["key"]), key_of(info["parent"]), 1, u64(info["port"])), Time{}, {});
    }
    for (const auto result : tree["results"].get_array()) {
      INFO(text(result["query"]));
      const auto key = key_of(result["query"]);
      const auto chain = infos.chain(key);
      std::vector<PublicKey> ancestry;
      for (auto at = chain.rbegin(); at != chain.rend(); ++at) ancestry.push_back(**at);
      std::vector<PublicKey> expected;
      for (const auto name : result["ancestry_root_first"].get_array()) expected.push_back(key_of(name));
      CHECK(ancestry == expected);
      const auto position = infos.position(key, {});
      CHECK(position.known == !text(result["dists_root"]).empty());
      CHECK(position.coords == path(result["path"]));
      if (position.known) {
        CHECK(position.root == key_of(result["dists_root"]));
        CHECK(position.depth == u64(result["dists"].at_key(text(result["dists_root"]))));
      }
      if (!position.coords.empty()) CHECK(position.root == key_of(result["path_root"]));
      for (const auto [name, depth] : result["dists"].get_object()) {
        const auto wanted = test_key(name).public_key();
        const auto at = std::ranges::find_if(chain, [&](const PublicKey* link) { return *link == wanted; });
        REQUIRE(at != chain.end());
        CHECK(static_cast<std::uint64_t>(at - chain.begin()) == u64(depth));
      }
    }
  }
}

TEST_CASE("next hop: the recorded choices are made", "[overlay]") {
  for (const auto entry : load_vectors("routing/tree.json")["lookup"].get_array()) {
    INFO(text(entry["name"]));
    const auto dest = path(entry["dest_path"]);
    const auto distance = tree_distance(dest, path(entry["self_path"]));
    std::map<PublicKey, std::vector<Link>> links;
    std::map<PublicKey, wire::Path> coords;
    std::map<std::uint32_t, std::uint64_t> index;  // by age
    for (const auto given : entry["links"].get_array()) {
      const auto key = test_key(text(given["key"])).public_key();
      Link link;
      link.id = LinkId{static_cast<std::uint32_t>(u64(given["order"]))};
      link.priority = static_cast<std::uint8_t>(u64(given["priority"]));
      link.latency = u64(given["lag_ms"]) * 1'000'000;
      links[key].push_back(link);
      coords[key] = path(given["peer_path"]);
      index[static_cast<std::uint32_t>(link.id)] = u64(given["link"]);
    }
    auto watermark = u64(entry["watermark_in"]);
    std::optional<LinkId> best;
    if (distance < watermark) {
      watermark = distance;
      HopIndex index_of_links;
      for (const auto& [key, list] : links) index_of_links.add(coords[key], list);
      best = index_of_links.best(dest, distance);
    }
    CHECK(watermark == u64(entry["watermark_out"]));
    REQUIRE(best.has_value() == axl::test::has(entry, "chosen_link"));
    if (best) CHECK(index.at(static_cast<std::uint32_t>(*best)) == u64(entry["chosen_link"]));
  }
}

TEST_CASE("parent choice: the recorded cases come out the same", "[overlay]") {
  const auto vectors = load_vectors("routing/parent.json");
  std::map<std::string, PublicKey, std::less<>> keys;
  for (const auto entry : vectors["keys_ascending"].get_array()) {
    keys[std::string{text(entry["name"])}] = public_key(entry["public"]);
  }
  const auto key_of = [&](simdjson::dom::element name) { return keys.at(std::string{text(name)}); };
  std::size_t checked = 0;
  for (const auto entry : vectors["cases"].get_array()) {
    INFO(text(entry["name"]));
    const auto own = test_key(key_of(entry["self"]).to_hex());
    Neighbours neighbours;
    const auto config = Config::reference();
    CountingRng rng;
    const auto verify = verifier();
    Tree tree{config, own, verify, rng, neighbours};

    const auto parent = key_of(entry["self_parent"]);
    const auto seq = u64(entry["self_seq"]);
    tree.infos().store(unsigned_announce(own.public_key(), parent, seq, parent == own.public_key() ? 0 : 2), {}, {});
    for (const auto info : entry["infos"].get_array()) {
      const auto announce =
          unsigned_announce(key_of(info["key"]), key_of(info["parent"]), u64(info["seq"]), u64(info["port"]));
      tree.infos().store(announce, {}, {});
    }
    std::uint32_t id = 0;
    for (const auto peer : entry["peers"].get_array()) {
      auto& neighbour = *neighbours.add_link(LinkId{++id}, key_of(peer["key"]), 0)->neighbour;
      const auto lag = peer["lag_ms"].get_int64().value();
      if (lag >= 0) neighbour.links.front().latency = static_cast<std::uint64_t>(lag) * 1'000'000;
      if (peer["have_response"].get_bool().value()) {
        neighbour.response = wire::SigRes{seq + 1, 7, u64(peer["response_port"]), {}};
      }
    }
    tree.set_flags({entry["refresh_in"].get_bool().value(), false, false});
    for (std::uint64_t tick = 0; tick < u64(entry["ticks"]); ++tick) {
      if (tree.choose_parent(Tree::TickKind::regular, Time{})) tree.start_round();
    }

    const auto expected = entry["result"];
    const auto& result = tree.infos().find(own.public_key())->announce;
    CHECK(result.parent == key_of(expected["parent"]));
    CHECK(result.seq == u64(expected["seq"]));
    CHECK(result.port == u64(expected["port"]));
    CHECK(tree.flags().refresh == expected["refresh"].get_bool().value());
    CHECK(tree.flags().root1 == expected["doRoot1"].get_bool().value());
    CHECK(tree.flags().root2 == expected["doRoot2"].get_bool().value());
    std::uint64_t responses = 0;
    for (const auto& [key, neighbour] : neighbours.all()) responses += neighbour.response ? 1 : 0;
    CHECK(responses == u64(expected["responses_left"]));
    ++checked;
  }
  CHECK(checked == 18);
}

TEST_CASE("latency: the recorded samples give the recorded latency and cost", "[overlay]") {
  for (const auto sequence : load_vectors("routing/parent.json")["latency"].get_array()) {
    Link link;
    for (const auto line : sequence.get_array()) {
      if (axl::test::has(line, "rtt_ns")) link.on_round_trip(Duration{u64(line["rtt_ns"])});
      CHECK(link.latency == u64(line["lag_ns"]));
      CHECK(link.cost() == u64(line["cost"]));
    }
  }
}

TEST_CASE("neighbours: ports are the lowest free ones and shared by links to one key", "[overlay]") {
  Neighbours neighbours;
  const auto add = [&](std::uint32_t id, int key) {
    return static_cast<std::uint64_t>(neighbours.add_link(LinkId{id}, test_key(key).public_key(), 0)->neighbour->port);
  };
  CHECK(add(1, 1) == 1);
  CHECK(add(2, 2) == 2);
  CHECK(add(3, 1) == 1);
  CHECK(add(4, 3) == 3);
  CHECK_FALSE(neighbours.add_link(LinkId{4}, test_key(4).public_key(), 0).ok());
  neighbours.remove_link(LinkId{2});
  neighbours.remove_if_gone(test_key(2).public_key());
  neighbours.remove_link(LinkId{1});
  neighbours.remove_if_gone(test_key(1).public_key());  // still has link 3
  CHECK(add(5, 4) == 2);
  CHECK(add(6, 5) == 4);
}
