#include <utility>

#include "node.hpp"
#include "session.hpp"
#include "status.hpp"

using namespace axl::c;

namespace {

constexpr std::size_t kBacklog = 128;

axl::Result<axl_session_options> read(const axl_session_options* options) {
  auto out = read_options(options, AXL_SIZE_UP_TO(axl_session_options, backlog));
  if (!out) return out;
  const auto mode = number_of(out->mode);
  if (mode != AXL_SESSION_BYTES && mode != AXL_SESSION_MESSAGES) {
    return axl::Error{axl::Errc::invalid_argument, "mode is neither AXL_SESSION_BYTES nor AXL_SESSION_MESSAGES"};
  }
  if (out->backlog == 0) out->backlog = kBacklog;
  return out;
}

axl_session::Options to_options(const axl_session_options& options) {
  axl_session::Options out;
  out.user = options.user;
  out.messages = options.mode == AXL_SESSION_MESSAGES;
  if (options.max_message_size > 0) out.max_message_size = options.max_message_size;
  return out;
}

void on_connected(Operations& operations, const std::shared_ptr<Operation>& operation, EventQueue& queue,
                  axl::Result<axl::Session> session) {
  if (!operations.end(operation)) return;
  auto item = operations.event_of(*operation);
  if (session) {
    item.kind = AXL_EVENT_SESSION_OPEN;
    operation->session->open(*std::move(session), std::move(item));
    return;
  }
  item.status = status_of(session.error());
  item.text = session.error().text();
  queue.push(std::move(item));
}

void accept(const std::shared_ptr<EventQueue>& queue, const std::shared_ptr<Listening>& listening,
            const axl_session::Options& options, axl::Session session) {
  if (!listening->admit()) {
    session.abort();
    return;
  }
  Item item;
  item.kind = AXL_EVENT_SESSION_ACCEPTED;
  item.user = options.user;
  item.source = listening;
  item.port = session.local_port();
  from_key(session.peer(), item.key);
  item.session = std::make_shared<axl_session>(queue, options, item.key, session.remote_port());
  const auto accepted = item.session;
  accepted->open(std::move(session), std::move(item));
}

}  // namespace

extern "C" {

axl_status axl_connect(axl_node* node, const axl_key* to, uint16_t port, const axl_session_options* options,
                       axl_session** session) {
  if (node == nullptr || to == nullptr || session == nullptr) return missing("no node, key or place for a session");
  *session = nullptr;
  return guarded([&] {
    const auto given = read(options);
    if (!given) return fail(given.error());
    const auto opening = std::make_shared<axl_session>(node->queue(), to_options(*given), *to, port);
    const auto begun = node->operations().begin(
        {.kind = AXL_EVENT_SESSION_CLOSED, .user = given->user, .key = *to, .session = opening});
    if (!begun) return fail(begun.error());
    opening->hold();
    *session = opening.get();
    node->node().connect(to_key(*to), port,
                         [operations = node->shared_operations(), operation = *begun, queue = node->queue()](
                             auto connected) { on_connected(*operations, operation, *queue, std::move(connected)); });
    return AXL_OK;
  });
}

axl_status axl_listen(axl_node* node, uint16_t port, const axl_session_options* options) {
  if (node == nullptr) return missing("no node");
  return guarded([&] {
    const auto given = read(options);
    if (!given) return fail(given.error());
    const auto listening = std::make_shared<Listening>(given->backlog);
    return node->on_loop([&](axl::Node& on) {
      auto handler = [queue = node->queue(), listening, wanted = to_options(*given)](axl::Session session) {
        accept(queue, listening, wanted, std::move(session));
      };
      return done(on.listen(port, std::move(handler)));
    });
  });
}

axl_status axl_stop_listening(axl_node* node, uint16_t port) {
  if (node == nullptr) return missing("no node");
  return guarded([&] {
    return node->on_loop([&](axl::Node& on) {
      on.stop_listening(port);
      return AXL_OK;
    });
  });
}

}  // extern "C"
