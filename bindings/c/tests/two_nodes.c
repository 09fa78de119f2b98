/* Two nodes in one process: messages, sessions of bytes and of messages, pings, views. */
#include "check.h"

static int released = 0;

static void on_release(void *user, const void *data, size_t size) {
  CHECK(user == &released && data != NULL && size > 0);
  ++released;
}

static void sends_messages(axl_node *alice, axl_node *bob, const axl_key *bob_key) {
  static char large[3 * 1024 * 1024];
  axl_key alice_key;
  axl_subscribe_options wanted;
  axl_subscription *plain, *news;
  axl_send_options options;
  const axl_event *event;
  size_t size;
  int i, mark;

  axl_node_key(alice, &alice_key);
  OK(axl_subscribe(bob, NULL, &plain));
  AXL_INIT(wanted);
  wanted.topic = "news";
  wanted.user = &mark;
  OK(axl_subscribe(bob, &wanted, &news));

  AXL_INIT(options);
  options.user = &i;
  options.id = "first";
  OK(axl_send(alice, bob_key, "hello", 5, &options));
  event = await(alice, AXL_EVENT_SENT);
  CHECK(event->status == AXL_OK && event->user == &i && event->delivery == AXL_DELIVERY_QUEUED);
  CHECK(strcmp(event->id, "first") == 0 && event->text[0] == '\0');
  event = await(bob, AXL_EVENT_MESSAGE);
  CHECK(event->subscription == plain && event->user == NULL);
  CHECK(memcmp(axl_message_data(event->message, &size), "hello", 5) == 0 && size == 5);
  CHECK(strcmp(axl_message_id(event->message), "first") == 0 && axl_message_topic(event->message)[0] == '\0');
  {
    axl_key sender;
    axl_message_sender(event->message, &sender);
    CHECK(memcmp(&sender, &alice_key, sizeof sender) == 0);
  }
  axl_message_free(event->message);

  /* A thousand of a topic, in order, more than the window of a subscription. */
  AXL_INIT(options);
  options.topic = "news";
  options.no_event = 1;
  for (i = 0; i < 1000; ++i) {
    axl_status status;
    while ((status = axl_send(alice, bob_key, &i, sizeof i, &options)) == AXL_E_WOULD_BLOCK) {
      CHECK(axl_poll(alice, 10, &event) == AXL_E_TIMED_OUT);
    }
    OK(status);
  }
  for (i = 0; i < 1000; ++i) {
    int got;
    event = await(bob, AXL_EVENT_MESSAGE);
    CHECK(event->subscription == news && event->user == &mark);
    memcpy(&got, axl_message_data(event->message, &size), sizeof got);
    CHECK(size == sizeof got && got == i);
    axl_message_free(event->message);
  }

  /* Lent, not copied. */
  memset(large, 'x', sizeof large);
  AXL_INIT(options);
  options.release = on_release;
  options.release_user = &released;
  OK(axl_send(alice, bob_key, large, sizeof large, &options));
  CHECK(await(alice, AXL_EVENT_SENT)->status == AXL_OK);
  event = await(bob, AXL_EVENT_MESSAGE);
  CHECK(memcmp(axl_message_data(event->message, &size), large, sizeof large) == 0 && size == sizeof large);
  axl_message_free(event->message);
  while (released == 0) CHECK(axl_poll(alice, 10, &event) != AXL_E_CLOSED);
  CHECK(released == 1);
  axl_subscription_free(plain);
  axl_subscription_free(news);
}

static void confirms_messages(axl_node *alice, axl_node *bob, const axl_key *bob_key) {
  axl_subscribe_options wanted;
  axl_subscription *subscription;
  axl_send_options options;
  axl_statistics statistics;
  const axl_event *event;
  axl_message *message;
  size_t size;
  int i;

  AXL_INIT(options);
  options.topic = "work";
  for (i = 0; i < 3; ++i) {
    OK(axl_send(alice, bob_key, &i, sizeof i, &options));
    CHECK(await(alice, AXL_EVENT_SENT)->status == AXL_OK);
  }
  AXL_INIT(wanted);
  wanted.topic = "work";
  wanted.confirm = 1;
  OK(axl_subscribe(bob, &wanted, &subscription));
  message = await(bob, AXL_EVENT_MESSAGE)->message;
  OK(axl_message_confirm(message));
  CHECK(axl_message_confirm(message) == AXL_E_NOT_FOUND);
  axl_message_free(message);
  axl_message_free(await(bob, AXL_EVENT_MESSAGE)->message); /* not confirmed: it comes again */
  axl_subscription_free(subscription);

  OK(axl_subscribe(bob, &wanted, &subscription));
  for (i = 1; i < 3; ++i) {
    int got;
    event = await(bob, AXL_EVENT_MESSAGE);
    memcpy(&got, axl_message_data(event->message, &size), sizeof got);
    CHECK(got == i);
    OK(axl_message_confirm(event->message));
    axl_message_free(event->message);
  }
  axl_subscription_free(subscription);
  do {
    AXL_INIT(statistics);
    OK(axl_statistics_get(bob, &statistics));
  } while (statistics.queue_messages > 0);
  CHECK(statistics.queue_accepted > 1000 && statistics.links_up == 1);
}

static void talks_in_bytes(axl_node *alice, axl_node *bob, const axl_key *bob_key) {
  static char sent[8 * 1024 * 1024], got[sizeof sent];
  axl_session_options options;
  axl_session *caller, *called;
  const axl_event *event;
  axl_key peer;
  size_t i, have = 0, size;
  int before = released;

  for (i = 0; i < sizeof sent; ++i) sent[i] = (char)(i * 31 + i / 4096);
  AXL_INIT(options);
  options.user = &have;
  OK(axl_listen(bob, 4000, &options));
  CHECK(axl_listen(bob, 4000, NULL) == AXL_E_ALREADY_EXISTS);
  OK(axl_connect(alice, bob_key, 4000, NULL, &caller));
  axl_session_peer(caller, &peer);
  CHECK(memcmp(&peer, bob_key, sizeof peer) == 0 && axl_session_remote_port(caller) == 4000);
  CHECK(await(alice, AXL_EVENT_SESSION_OPEN)->session == caller);
  CHECK(axl_session_local_port(caller) != 0);

  OK(axl_session_write(caller, sent, 100));
  OK(axl_session_write_lent(caller, sent + 100, sizeof sent - 100, on_release, &released));
  axl_session_finish(caller);
  CHECK(axl_session_write(caller, "more", 4) == AXL_E_CLOSED);

  event = await(bob, AXL_EVENT_SESSION_ACCEPTED);
  called = event->session;
  CHECK(event->user == &have && event->port == 4000 && axl_session_user(called) == &have);
  axl_session_set_user(called, called);
  for (;;) {
    OK(axl_poll(bob, -1, &event));
    if (event->session != called) continue;
    CHECK(event->user == called);
    if (event->kind == AXL_EVENT_SESSION_END) break;
    CHECK(event->kind == AXL_EVENT_SESSION_DATA);
    axl_message_data(event->message, &size);
    CHECK(have + size <= sizeof sent);
    memcpy(got + have, axl_message_data(event->message, &size), size);
    have += size;
    axl_message_free(event->message);
  }
  CHECK(have == sizeof sent && memcmp(sent, got, sizeof sent) == 0);
  axl_session_close(called);
  CHECK(await(alice, AXL_EVENT_SESSION_CLOSED)->status == AXL_OK);
  CHECK(await(bob, AXL_EVENT_SESSION_CLOSED)->status == AXL_OK);
  while (released == before) CHECK(axl_poll(alice, 10, &event) != AXL_E_CLOSED);
  CHECK(released == before + 1);
  axl_session_free(caller);
  axl_session_free(called);
  OK(axl_stop_listening(bob, 4000));
}

/* The reader stops for a while: what is on its way waits, nothing is lost, and both ends hold little. */
static void talks_in_messages(axl_node *alice, axl_node *bob, const axl_key *bob_key) {
  static char body[100 * 1000];
  axl_session_options options;
  axl_session *caller, *called;
  const axl_event *event;
  int i, next, told = 0;
  size_t size;

  AXL_INIT(options);
  options.mode = AXL_SESSION_MESSAGES;
  OK(axl_listen(bob, 4001, &options));
  OK(axl_connect(alice, bob_key, 4001, &options, &caller));
  await(alice, AXL_EVENT_SESSION_OPEN);
  called = await(bob, AXL_EVENT_SESSION_ACCEPTED)->session;
  for (i = 0; i < 200; ++i) {
    memcpy(body, &i, sizeof i);
    OK(axl_session_send(caller, body, sizeof body));
  }
  CHECK(axl_session_congested(caller) && axl_session_pending(caller) > 0);
  axl_session_pause(called);
  axl_session_resume(called);
  for (next = 0; next < 200; ++next) {
    event = await(bob, AXL_EVENT_SESSION_MESSAGE);
    memcpy(&i, axl_message_data(event->message, &size), sizeof i);
    CHECK(size == sizeof body && i == next);
    axl_message_free(event->message);
  }
  while (told != 3) {
    OK(axl_poll(alice, -1, &event));
    if (event->kind == AXL_EVENT_SESSION_WRITABLE) told |= 1;
    if (event->kind == AXL_EVENT_SESSION_DRAINED) told |= 2;
  }
  OK(axl_session_send(called, "", 0));
  event = await(alice, AXL_EVENT_SESSION_MESSAGE);
  axl_message_data(event->message, &size);
  CHECK(size == 0);
  axl_message_free(event->message);
  axl_session_abort(caller);
  CHECK(await(alice, AXL_EVENT_SESSION_CLOSED)->status == AXL_E_CLOSED);
  CHECK(await(bob, AXL_EVENT_SESSION_CLOSED)->status != AXL_OK);
  axl_session_free(caller);
  axl_session_free(called);
}

static void looks_around(axl_node *alice, axl_node *bob, const axl_key *bob_key) {
  char *text, hex[AXL_KEY_HEX_SIZE];
  const axl_event *event;
  axl_statistics statistics;

  OK(axl_ping(alice, bob_key, 10000, &text));
  event = await(alice, AXL_EVENT_PONG);
  CHECK(event->status == AXL_OK && event->round_trip_ns > 0 && event->user == &text);
  CHECK(memcmp(&event->key, bob_key, sizeof *bob_key) == 0);
  axl_key_to_hex(bob_key, hex);
  OK(axl_topology(alice, &text));
  CHECK(strstr(text, hex) != NULL && strstr(text, "\"tree\":[{") != NULL);
  axl_free(text);
  OK(axl_peers(alice, &text));
  CHECK(text[0] == '[' && strstr(text, "\"up\":true") != NULL);
  axl_free(text);
  OK(axl_known_nodes(alice, NULL, 10, &text));
  CHECK(strstr(text, hex) != NULL && strstr(text, "\"link\":true") != NULL);
  axl_free(text);
  OK(axl_known_nodes(alice, bob_key, 10, &text));
  CHECK(strcmp(text, "[]") == 0);
  axl_free(text);
  OK(axl_known_node(alice, bob_key, &text));
  axl_free(text);
  OK(axl_statistics_text(bob, &text));
  CHECK(strstr(text, "axl_") != NULL);
  axl_free(text);
  AXL_INIT(statistics);
  OK(axl_statistics_get(alice, &statistics));
  CHECK(statistics.links_up == 1 && statistics.uptime_ns > 0);
}

int main(void) {
  char *uri;
  axl_key bob_key;
  axl_node *bob = listening_node(&uri, 0);
  axl_node *alice = dialling_node(uri, 0);
  const axl_event *event = await(alice, AXL_EVENT_PEER_UP);

  axl_node_key(bob, &bob_key);
  CHECK(memcmp(&event->key, &bob_key, sizeof bob_key) == 0 && strncmp(event->uri, uri, strlen(uri)) == 0);
  axl_node_set_user(bob, &bob_key);
  CHECK(axl_node_user(bob) == &bob_key);
  sends_messages(alice, bob, &bob_key);
  confirms_messages(alice, bob, &bob_key);
  talks_in_bytes(alice, bob, &bob_key);
  talks_in_messages(alice, bob, &bob_key);
  looks_around(alice, bob, &bob_key);
  OK(axl_node_drain(bob, &uri));
  CHECK(await(bob, AXL_EVENT_DRAINED)->user == &uri);
  OK(axl_peer_remove(alice, uri));
  await(alice, AXL_EVENT_PEER_DOWN);
  axl_free(uri);
  axl_node_destroy(alice);
  axl_node_destroy(bob);
  return 0;
}
