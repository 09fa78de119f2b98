/* What the tests in C share: checks, and waiting for an event of a kind. */
#ifndef AXL_TESTS_CHECK_H
#define AXL_TESTS_CHECK_H

#include <axl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                                   \
  do {                                                                                                     \
    if (!(condition)) {                                                                                    \
      fprintf(stderr, "%s:%d: not so: %s (last error: %s)\n", __FILE__, __LINE__, #condition, axl_last_error()); \
      abort();                                                                                             \
    }                                                                                                      \
  } while (0)

#define OK(call) CHECK((call) == AXL_OK)

/* Polls until an event of that kind comes; frees what the others bring. */
static inline const axl_event *await(axl_node *node, axl_event_kind kind) {
  for (;;) {
    const axl_event *event;
    OK(axl_poll(node, -1, &event));
    if (event->kind == kind) return event;
    if (event->status != AXL_OK) fprintf(stderr, "while waiting for %d: %d: %s\n", kind, event->kind, event->text);
    axl_message_free(event->message);
    if (event->kind == AXL_EVENT_SESSION_ACCEPTED) axl_session_free(event->session);
    if (event->kind == AXL_EVENT_REQUEST) axl_request_free(event->request);
    axl_question_free(event->question);
    axl_outcome_free(event->outcome);
    axl_merge_free(event->merge);
  }
}

/* A node that listens on loopback; its URI in `uri`, to be given back with axl_free. */
static inline axl_node *listening_node(char **uri, int no_thread) {
  const char *listen[] = {"tcp://127.0.0.1:0"};
  axl_node_options options;
  axl_node *node;
  AXL_INIT(options);
  options.listen = listen;
  options.listen_count = 1;
  options.no_thread = no_thread;
  OK(axl_node_create(&options, &node));
  OK(axl_listener(node, 0, uri));
  OK(axl_node_start(node));
  return node;
}

static inline axl_node *dialling_node(const char *uri, int no_thread) {
  axl_node_options options;
  axl_node *node;
  AXL_INIT(options);
  options.peers = &uri;
  options.peer_count = 1;
  options.no_thread = no_thread;
  OK(axl_node_create(&options, &node));
  OK(axl_node_start(node));
  return node;
}

#endif
