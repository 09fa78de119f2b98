#include <axl/convergecast.hpp>
#include <axl/node.hpp>
#include <axl/patterns.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "node/node_state.hpp"
#include "node/part.hpp"
#include "patterns/aggregate_api.hpp"
#include "patterns/pubsub_api.hpp"

namespace axl {

namespace {

constexpr std::string_view kPart = "local patterns";

// The routes hold it too, so that it outlives the connections whose bodies count in its budget.
class LocalPatterns final : public node::Part {
 public:
  LocalPatterns(Node& node, PubSubOptions options, std::unique_ptr<Convergecast> part)
      : pubsub{node, std::move(options)} {
    if (part) aggregate.emplace(std::move(part), node.state().host());
  }
  void on_node_stop() override {
    pubsub.close();
    if (aggregate) aggregate->close();
  }

  patterns::PubSubApi pubsub;
  std::optional<patterns::AggregateApi> aggregate;
};

void add_routes(bridge::Bridge& bridge, const std::shared_ptr<LocalPatterns>& part) {
  bridge.add_local_route("/pubsub", {"GET", "HEAD"},
                         [part](http::Exchange exchange) { part->pubsub.serve_list(std::move(exchange)); });
  bridge.add_local_route("/pubsub/", {"GET", "POST"},
                         [part](http::Exchange exchange) { part->pubsub.serve_topic(std::move(exchange)); });
  bridge.on_drain([part] {
    part->pubsub.drain();
    if (part->aggregate) part->aggregate->drain();
  });
  if (!part->aggregate) return;
  bridge.add_local_route("/aggregate", {"GET", "HEAD"},
                         [part](http::Exchange exchange) { part->aggregate->serve_list(std::move(exchange)); });
  bridge.add_local_route("/aggregate/", {"GET", "HEAD", "POST", "PUT", "DELETE"},
                         [part](http::Exchange exchange) { part->aggregate->serve_session(std::move(exchange)); });
}

}  // namespace

Result<void> serve_patterns(Node& node, const PatternsOptions& options) {
  std::unique_ptr<Convergecast> part;
  if (options.aggregation) {
    auto attached = Convergecast::attach(node, {.legacy = options.legacy});
    if (!attached) return attached.error();
    part = *std::move(attached);
  }
  auto pubsub = options.pubsub;
  pubsub.legacy = pubsub.legacy || options.legacy;
  Result<void> result = Error{Errc::closed, "the node has been stopped"};
  node.state().on_loop_and_wait([&] {
    if (node.state().part(kPart)) {
      result = Error{Errc::already_exists, "the local API has these routes"};
      return;
    }
    const auto made = std::make_shared<LocalPatterns>(node, std::move(pubsub), std::move(part));
    result = made->pubsub.begin();
    if (!result) return made->on_node_stop();
    node.state().set_part(std::string{kPart}, made);
    add_routes(node.state().bridge(), made);
  });
  return result;
}

}  // namespace axl
