// A node's handle from axl_node_create to axl_node_destroy.
#include <utility>

#include "node.hpp"
#include "node_options.hpp"
#include "status.hpp"

using namespace axl::c;

namespace {

constexpr std::size_t kMaxOperations = 16'384;

Item to_notice(const axl::NodeEvent& event) {
  using Kind = axl::NodeEvent::Kind;
  Item item;
  item.kind = event.kind == Kind::peer_up     ? AXL_EVENT_PEER_UP
              : event.kind == Kind::peer_down ? AXL_EVENT_PEER_DOWN
                                              : AXL_EVENT_E2E_UP;
  from_key(event.key, item.key);
  item.uri = event.uri;
  item.text = event.text;
  return item;
}

axl_status create(const axl_node_options& options, axl_node** node) {
  auto config = to_config(options);
  if (!config) return fail(config.error());
  const bool threaded = config->run == axl::RunMode::own_thread;
  axl::Result<Signal> signal = Signal{};
  if (threaded) signal = Signal::open();
  if (!signal) return fail(signal.error());
  const auto queue = std::make_shared<EventQueue>(*std::move(signal));
  queue->set_log(options.log, options.log_user, number_of(options.log_level));
  config->log = [queue](axl::LogLevel level, std::string_view area, std::string_view text) {
    queue->log(level, area, text);
  };
  auto made = axl::Node::create(*std::move(config));
  if (!made) {
    queue->call_back();
    return fail(made.error());
  }
  const std::shared_ptr<axl::Node> shared = *std::move(made);
  shared->on_event([queue](const axl::NodeEvent& event) { queue->push_notice(to_notice(event)); });
  const auto limit = options.max_operations == 0 ? kMaxOperations : options.max_operations;
  *node = new axl_node{{queue, std::make_shared<Operations>(queue, limit), shared, threaded}};
  return AXL_OK;
}

}  // namespace

extern "C" {

axl_status axl_node_create(const axl_node_options* options, axl_node** node) {
  if (node == nullptr) return missing("no place for a node");
  *node = nullptr;
  return guarded([&] {
    const auto read = read_options(options, AXL_SIZE_UP_TO(axl_node_options, log_level));
    if (!read) return fail(read.error());
    return create(*read, node);
  });
}

axl_status axl_node_start(axl_node* node) {
  if (node == nullptr) return missing("no node");
  return guarded([&] { return done(node->start()); });
}

void axl_node_stop(axl_node* node) {
  if (node != nullptr) node->stop();
}

void axl_node_destroy(axl_node* node) { delete node; }

axl_status axl_node_drain(axl_node* node, void* user) {
  if (node == nullptr) return missing("no node");
  return guarded([&] {
    const auto begun = node->operations().begin({.kind = AXL_EVENT_DRAINED, .user = user});
    if (!begun) return fail(begun.error());
    node->node().begin_drain([operations = node->shared_operations(), operation = *begun] {
      if (operations->end(operation)) operations->report(*operation, operations->event_of(*operation));
    });
    return AXL_OK;
  });
}

void axl_node_key(const axl_node* node, axl_key* key) {
  give_key(node == nullptr ? axl::PublicKey{} : node->node().key(), key);
}
void axl_node_set_user(axl_node* node, void* user) {
  if (node != nullptr) node->user = user;
}
void* axl_node_user(const axl_node* node) { return node == nullptr ? nullptr : node->user.load(); }

void axl_node_set_log(axl_node* node, axl_log_fn hook, void* user, axl_log_level level) {
  if (node != nullptr) node->queue()->set_log(hook, user, number_of(level));
}

axl_status axl_poll(axl_node* node, int timeout_ms, const axl_event** event) {
  if (node == nullptr || event == nullptr) return missing("no node or no place for an event");
  return node->poll(timeout_ms, event);
}

void axl_wake(axl_node* node) {
  if (node != nullptr) node->wake();
}

axl_status axl_node_fd(axl_node* node, int* fd) {
  if (node == nullptr || fd == nullptr) return missing("no node or no place for a descriptor");
  *fd = node->queue()->descriptor();
  if (*fd >= 0) return AXL_OK;
  return fail(AXL_E_NOT_SUPPORTED, "a node without thread has no descriptor: turn it with axl_poll");
}

}  // extern "C"
