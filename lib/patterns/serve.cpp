#include <axl/convergecast.hpp>
#include <axl/node.hpp>
#include <axl/patterns.hpp>
#include <memory>
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
  LocalPatterns(Node& node, const PatternsOptions& options, std::unique_ptr<Convergecast> part)
      : pubsub{node, options.legacy}, aggregate{std::move(part), node.state().host()} {}
  void on_node_stop() override {
    pubsub.close();
    aggregate.close();
  }

  patterns::PubSubApi pubsub;
  patterns::AggregateApi aggregate;
};

void add_routes(bridge::Bridge& bridge, const std::shared_ptr<LocalPatterns>& part) {
  bridge.add_local_route("/pubsub", {"GET", "HEAD"},
                         [part](http::Exchange exchange) { part->pubsub.serve_list(std::move(exchange)); });
  bridge.add_local_route("/pubsub/", {"GET", "POST"},
                         [part](http::Exchange exchange) { part->pubsub.serve_topic(std::move(exchange)); });
  bridge.add_local_route("/aggregate", {"GET", "HEAD"},
                         [part](http::Exchange exchange) { part->aggregate.serve_list(std::move(exchange)); });
  bridge.add_local_route("/aggregate/", {"GET", "HEAD", "POST", "PUT", "DELETE"},
                         [part](http::Exchange exchange) { part->aggregate.serve_session(std::move(exchange)); });
  bridge.on_drain([part] {
    part->pubsub.drain();
    part->aggregate.drain();
  });
}

}  // namespace

Result<void> serve_patterns(Node& node, PatternsOptions options) {
  auto part = Convergecast::attach(node, {.legacy = options.legacy});
  if (!part) return part.error();
  Result<void> result = Error{Errc::closed, "the node has been stopped"};
  node.state().on_loop_and_wait([&] {
    if (node.state().part(kPart)) {
      result = Error{Errc::already_exists, "the local API has these routes"};
      return;
    }
    const auto made = std::make_shared<LocalPatterns>(node, options, *std::move(part));
    result = made->pubsub.begin();
    if (!result) return made->on_node_stop();
    node.state().set_part(std::string{kPart}, made);
    add_routes(node.state().bridge(), made);
  });
  return result;
}

}  // namespace axl
