/* Nodes without threads, turned by axl_poll in one loop; the log hook; the descriptor of a node with a thread. */
#define _POSIX_C_SOURCE 200809L
#include <poll.h>

#include "check.h"

static void on_log(void *user, axl_log_level level, const char *area, const char *text) {
  int *lines = (int *)user;
  CHECK(level >= AXL_LOG_INFO && area[0] != '\0' && text[0] != '\0');
  ++*lines;
}

static void exchanges_frames(void) {
  char *uri, *text;
  axl_key bob_key;
  axl_subscription *subscription;
  const axl_event *event;
  axl_status status;
  int got = 0, sent = 0, fd;
  axl_node *bob = listening_node(&uri, 1);
  axl_node *alice = dialling_node(uri, 1);

  CHECK(axl_node_fd(bob, &fd) == AXL_E_NOT_SUPPORTED);
  axl_node_key(bob, &bob_key);
  OK(axl_subscribe(bob, NULL, &subscription));
  while (got < 100) {
    if (sent < 100) {
      OK(axl_send(alice, &bob_key, &sent, sizeof sent, NULL));
      ++sent;
    }
    while ((status = axl_poll(alice, 0, &event)) == AXL_OK) CHECK(event->status == AXL_OK);
    CHECK(status == AXL_E_TIMED_OUT && event == NULL);
    while (axl_poll(bob, 1, &event) == AXL_OK) {
      if (event->kind == AXL_EVENT_MESSAGE) ++got;
      axl_message_free(event->message);
    }
  }
  OK(axl_topology(alice, &text)); /* turns the loop itself */
  axl_free(text);
  axl_wake(alice);
  CHECK(axl_poll(alice, -1, &event) == AXL_E_TIMED_OUT || event != NULL);
  axl_subscription_free(subscription);
  axl_free(uri);
  axl_node_destroy(alice);
  axl_node_destroy(bob);
}

static void logs(int no_thread) {
  axl_node_options options;
  axl_node *node;
  const axl_event *event;
  const char *bad[] = {"tcp://192.0.2.1:1?sntx", "nonsense"};
  int lines = 0, others = 0, before;

  AXL_INIT(options);
  options.listen = &bad[1];
  options.listen_count = 1;
  options.no_thread = no_thread;
  options.log = on_log;
  options.log_user = &lines;
  OK(axl_node_create(&options, &node));
  OK(axl_node_start(node));
  CHECK(lines == 0); /* nothing calls us but axl_poll */
  while (lines == 0) CHECK(axl_poll(node, 10, &event) == AXL_E_TIMED_OUT);
  axl_node_set_log(node, on_log, &others, AXL_LOG_WARNING);
  before = lines;
  CHECK(axl_listener_add(node, "tcp://127.0.0.1:0", NULL) == AXL_OK); /* information, below the level */
  CHECK(axl_poll(node, 0, &event) == AXL_E_TIMED_OUT);
  CHECK(lines == before && others == 0);
  axl_node_set_log(node, NULL, NULL, AXL_LOG_DEFAULT);
  axl_node_destroy(node);
  CHECK(lines == before && others == 0);
}

static void is_watched(void) {
  char *uri;
  axl_key bob_key;
  const axl_event *event;
  struct pollfd watched;
  axl_node *bob = listening_node(&uri, 0);
  axl_node *alice = dialling_node(uri, 0);
  int sent = 0;

  axl_node_key(bob, &bob_key);
  OK(axl_send(alice, &bob_key, "x", 1, NULL));
  OK(axl_node_fd(alice, &watched.fd));
  watched.events = POLLIN;
  while (!sent) {
    CHECK(poll(&watched, 1, -1) == 1 && watched.revents == POLLIN);
    while (axl_poll(alice, 0, &event) == AXL_OK) sent |= event->kind == AXL_EVENT_SENT;
  }
  while (poll(&watched, 1, 0) == 1) CHECK(axl_poll(alice, 0, &event) != AXL_E_CLOSED); /* a late notice at most */
  axl_wake(alice);
  CHECK(poll(&watched, 1, -1) == 1);
  while (axl_poll(alice, 0, &event) == AXL_OK) {
  }
  axl_node_stop(alice);
  CHECK(poll(&watched, 1, -1) == 1); /* the end is something to do */
  axl_free(uri);
  axl_node_destroy(alice);
  axl_node_destroy(bob);
}

int main(void) {
  exchanges_frames();
  logs(0);
  logs(1);
  is_watched();
  return 0;
}
