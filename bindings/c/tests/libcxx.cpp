// A program of another C++ library: nothing but C passes between it and axl.
#include <axl.h>

#include <cstdio>
#include <stdexcept>
#include <string>

#if !defined(_LIBCPP_VERSION)
#error "not libc++"
#endif

namespace {

void ok(axl_status status) {
  if (status != AXL_OK) throw std::runtime_error{axl_last_error()};
}

std::string exchange() {
  const char* listen = "tcp://127.0.0.1:0";
  axl_node_options options;
  AXL_INIT(options);
  options.listen = &listen;
  options.listen_count = 1;
  axl_node* bob = nullptr;
  ok(axl_node_create(&options, &bob));
  char* uri = nullptr;
  ok(axl_listener(bob, 0, &uri));
  const std::string bound{uri};
  axl_free(uri);

  const char* peer = bound.c_str();
  AXL_INIT(options);
  options.peers = &peer;
  options.peer_count = 1;
  axl_node* alice = nullptr;
  ok(axl_node_create(&options, &alice));
  ok(axl_node_start(bob));
  ok(axl_node_start(alice));

  axl_key to;
  axl_node_key(bob, &to);
  axl_subscription* subscription = nullptr;
  ok(axl_subscribe(bob, nullptr, &subscription));
  ok(axl_send(alice, &to, "hello", 5, nullptr));
  std::string got;
  const axl_event* event = nullptr;
  while (got.empty()) {
    ok(axl_poll(bob, -1, &event));
    if (event->kind != AXL_EVENT_MESSAGE) continue;
    std::size_t size = 0;
    const auto* data = static_cast<const char*>(axl_message_data(event->message, &size));
    got.assign(data, size);
    axl_message_free(event->message);
  }
  axl_subscription_free(subscription);
  axl_node_destroy(alice);
  axl_node_destroy(bob);
  return got;
}

}  // namespace

int main() {
  try {
    throw std::runtime_error{"our own exceptions work beside the library's"};
  } catch (const std::exception& failure) {
    std::puts(failure.what());
  }
  return exchange() == "hello" ? 0 : 1;
}
