// What a node publishes, and what it shows of its pub/sub.
#include <axl/patterns.hpp>
#include <utility>

#include "json.hpp"
#include "node.hpp"
#include "patterns.hpp"
#include "status.hpp"

using namespace axl::c;

namespace {

axl::Result<axl::PubSubOptions> to_options(const axl_pubsub_options& from) {
  if (from.peers == nullptr && from.peer_count > 0) {
    return axl::Error{axl::Errc::invalid_argument, "peers is NULL, and peer_count is not 0"};
  }
  axl::PubSubOptions to;
  for (std::size_t i = 0; i < from.peer_count; ++i) to.peers.push_back(to_key(from.peers[i]));
  to.find_peers = from.no_search == 0;
  to.signatures = from.no_signatures == 0;
  if (from.max_body > 0) to.max_body = from.max_body;
  if (from.port > 0) to.port = from.port;
  to.legacy = from.legacy != 0;
  return to;
}

axl_status open_pubsub(axl_node& node) {
  if (node.patterns()->has_pubsub()) return AXL_OK;
  return node.on_loop([&](axl::Node& on) { return done(node.patterns()->pubsub(on)); });
}

axl_status publish(axl_node& node, const char* topic, axl::ByteSpan data, const axl_publish_options& options) {
  if (const auto opened = open_pubsub(node); opened != AXL_OK) return opened;
  const auto begun = node.operations().begin(
      {.kind = AXL_EVENT_PUBLISHED, .user = options.user, .quiet = options.no_event != 0});
  if (!begun) return fail(begun.error());
  std::shared_ptr<Lent> lent;
  if (options.release != nullptr) {
    const Release release{options.release, options.release_user, data.data(), data.size()};
    lent = std::make_shared<Lent>(node.queue(), release);
  }
  auto body = lent ? Lent::body(lent) : axl::MessageBody{axl::to_bytes(data)};
  const auto on_published = [operations = node.shared_operations(), operation = *begun](const auto& report) {
    if (!operations->end(operation)) return;
    auto item = operations->event_of(*operation);
    item.id = report.id;
    item.peers = report.peers;
    operations->report(*operation, std::move(item));
  };
  const auto published = node.patterns()->publish(topic, std::move(body), on_published);
  if (published || !node.operations().withdraw(*begun)) return AXL_OK;  // or its event says that the node has stopped
  if (lent) lent->forget();
  return fail(published.error());
}

}  // namespace

extern "C" {

axl_status axl_pubsub_open(axl_node* node, const axl_pubsub_options* options) {
  if (node == nullptr) return missing("no node");
  return guarded([&] {
    const auto read = read_options(options, AXL_SIZE_UP_TO(axl_pubsub_options, legacy));
    if (!read) return fail(read.error());
    const auto wanted = to_options(*read);
    if (!wanted) return fail(wanted.error());
    return node->on_loop([&](axl::Node& on) { return done(node->patterns()->open_pubsub(on, *wanted)); });
  });
}

axl_status axl_publish(axl_node* node, const char* topic, const void* data, size_t size,
                       const axl_publish_options* options) {
  if (node == nullptr || topic == nullptr) return missing("no node or no topic");
  if (data == nullptr && size > 0) return missing("no data");
  return guarded([&] {
    const auto read = read_options(options, AXL_SIZE_UP_TO(axl_publish_options, release_user));
    return read ? publish(*node, topic, to_span(data, size), *read) : fail(read.error());
  });
}

axl_status axl_pubsub(axl_node* node, char** json) {
  if (node == nullptr || json == nullptr) return missing("no node or no place for a text");
  *json = nullptr;
  return guarded([&] {
    return node->on_loop([&](axl::Node&) {
      *json = new_text(pubsub_json(node->patterns()->running_pubsub()));
      return AXL_OK;
    });
  });
}

axl_status axl_serve_patterns(axl_node* node, int legacy) {
  if (node == nullptr) return missing("no node");
  return guarded([&] {
    return node->on_loop([&](axl::Node& on) { return done(axl::serve_patterns(on, {.legacy = legacy != 0})); });
  });
}

}  // extern "C"
