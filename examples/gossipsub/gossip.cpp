// A node that takes part in one topic: a chat with a view of the mesh, or a load that is counted (options.cpp tells all).
#include <axl/axl.hpp>
#include <axl/pubsub.hpp>
#include <cstdio>

#include "chat.hpp"
#include "events.hpp"
#include "load.hpp"
#include "options.hpp"

namespace {

axl::Result<void> run(const gossip::Options& options) {
  axl::NodeConfig config;
  if (!options.key_file.empty()) {
    auto key = axl::read_or_make_key_file(options.key_file);
    if (!key) return key.error();
    config.identity = *std::move(key);
  }
  gossip::Events events;
  const auto node = axl::Node::create(std::move(config));
  if (!node) return node.error();
  for (const auto& uri : options.listen) {
    if (const auto bound = (*node)->add_listener(uri); !bound) return bound.error();
  }
  for (const auto& uri : options.peers) {
    if (const auto added = (*node)->add_peer(uri); !added) return added;
  }
  const auto pubsub = axl::PubSub::create(**node);
  if (!pubsub) return pubsub.error();
  if (const auto started = (*node)->start(); !started) return started;
  const auto outcome = options.rate > 0 ? gossip::Load{options, **node, **pubsub, events}.run()
                                        : gossip::Chat{options, **node, **pubsub, events}.run();
  (*node)->stop();  // no handler runs afterwards
  return outcome;
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = gossip::parse_options(argc, argv);
  if (!options) {
    std::fputs(gossip::kUsage, stderr);
    return 2;
  }
  const auto outcome = run(*options);
  if (!outcome) std::fprintf(stderr, "gossip: %s\n", outcome.error().text().c_str());
  return outcome ? 0 : 1;
}
