/* Publish and subscribe among three nodes in a line: what arrives, verdicts, bounds, and the end. */
#include "check.h"

static int released = 0;

static void on_release(void *user, const void *data, size_t size) {
  CHECK(user == &released && data != NULL && size == 4);
  ++released;
}

static int says(const axl_message *message, const char *text) {
  size_t size;
  const void *data = axl_message_data(message, &size);
  return size == strlen(text) && memcmp(data, text, size) == 0;
}

static int is_key(const axl_key *key, const axl_node *node) {
  axl_key own;
  axl_node_key(node, &own);
  return memcmp(&own, key, sizeof own) == 0;
}

/* Waits for an event of `node`; `other` may have to be turned meanwhile, and has no events that matter. */
static const axl_event *next(axl_node *node, axl_node *other, axl_event_kind kind) {
  const axl_event *event;
  for (;;) {
    if (axl_poll(other, 0, &event) == AXL_OK) axl_message_free(event->message);
    if (axl_poll(node, 1, &event) != AXL_OK) continue;
    if (event->kind == kind) return event;
    CHECK(event->message == NULL);
  }
}

/* Only with `peer`, so that it is known which way messages go. */
static void open_with(axl_node *node, const axl_node *peer) {
  axl_pubsub_options options;
  axl_key key;
  axl_node_key(peer, &key);
  AXL_INIT(options);
  options.peers = &key;
  options.peer_count = 1;
  options.no_search = 1;
  OK(axl_pubsub_open(node, &options));
}

static void publish(axl_node *node, axl_node *other, const char *topic, const char *text, char id[64]) {
  axl_publish_options options;
  const axl_event *event;
  AXL_INIT(options);
  options.user = id;
  OK(axl_publish(node, topic, text, strlen(text), &options));
  event = next(node, other, AXL_EVENT_PUBLISHED);
  CHECK(event->status == AXL_OK && event->user == id && strlen(event->id) == 32);
  strcpy(id, event->id);
}

static void verdicts(int no_thread) {
  char *uri, wrong[64], good[64], unsure[64], json_start[] = "{\"running\":true,\"peers\":[\"", *json;
  axl_topic *judged, *topic, *none = (axl_topic *)&uri;
  axl_topic_options options;
  axl_message *message;
  axl_key key;
  const axl_event *event;
  int mark, i;
  axl_node *middle = listening_node(&uri, 0);
  axl_node *left = dialling_node(uri, no_thread);
  axl_node *right = dialling_node(uri, 0);

  open_with(middle, left);
  open_with(left, middle);
  open_with(right, middle);
  AXL_INIT(options);
  options.user = &mark;
  options.judge = 1;
  OK(axl_topic_join(middle, "news", &options, &judged));
  OK(axl_topic_join(right, "news", NULL, &topic));
  CHECK(axl_topic_join(right, "", NULL, &none) == AXL_E_INVALID_ARGUMENT && none == NULL);

  publish(left, right, "news", "wrong", wrong);
  publish(left, right, "news", "unsure", unsure);
  publish(left, right, "news", "good", good);
  for (i = 0; i < 3; ++i) {
    event = next(middle, left, AXL_EVENT_VERDICT_WANTED);
    message = event->message;
    CHECK(event->user == &mark && event->topic == judged);
    CHECK(axl_message_judge(message, (axl_verdict)3) == AXL_E_INVALID_ARGUMENT);
    if (!says(message, "unsure")) {
      OK(axl_message_judge(message, says(message, "good") ? AXL_ACCEPT : AXL_REJECT));
      CHECK(axl_message_judge(message, AXL_ACCEPT) == AXL_E_NOT_FOUND);
    }
    axl_message_free(message); /* without a verdict: ignored */
  }
  event = next(middle, left, AXL_EVENT_TOPIC_MESSAGE);
  message = event->message;
  CHECK(event->user == &mark && event->topic == judged && event->missed == 0);
  CHECK(says(message, "good") && strcmp(axl_message_id(message), good) == 0);
  CHECK(axl_message_judge(message, AXL_ACCEPT) == AXL_E_NOT_FOUND);
  axl_message_free(message);
  /* By way of the middle, and nothing else came that way. */
  message = next(right, left, AXL_EVENT_TOPIC_MESSAGE)->message;
  CHECK(says(message, "good") && strcmp(axl_message_topic(message), "news") == 0 && axl_message_hops(message) == 2);
  axl_message_sender(message, &key);
  CHECK(is_key(&key, left) && axl_message_proved(message));
  axl_message_signer(message, &key);
  CHECK(is_key(&key, left));
  axl_message_relay(message, &key);
  CHECK(is_key(&key, middle));
  axl_message_free(message);

  OK(axl_pubsub(right, &json));
  CHECK(strncmp(json, json_start, strlen(json_start)) == 0 && strstr(json, "\"topic\":\"news\"") != NULL);
  axl_free(json);

  /* The one that is left when its node goes. */
  publish(left, right, "news", "late", good);
  message = next(middle, left, AXL_EVENT_VERDICT_WANTED)->message;
  axl_topic_free(judged);
  axl_node_destroy(middle);
  OK(axl_message_judge(message, AXL_ACCEPT));
  axl_message_free(message);
  axl_node_stop(right);
  CHECK(axl_publish(right, "news", "x", 1, NULL) == AXL_E_CLOSED);
  CHECK(axl_topic_join(right, "news", NULL, &none) == AXL_E_CLOSED && none == NULL);
  CHECK(axl_pubsub_open(right, NULL) == AXL_E_CLOSED);
  axl_node_destroy(right);
  axl_topic_free(topic);
  axl_node_destroy(left);
  axl_free(uri);
}

/* Until so many messages have come to this node. */
static void delivered(axl_node *node, int count) {
  char wanted[32], *json;
  int there = 0;
  snprintf(wanted, sizeof wanted, "\"delivered\":%d,", count);
  while (!there) {
    OK(axl_pubsub(node, &json));
    there = strstr(json, wanted) != NULL;
    axl_free(json);
  }
}

static void bounds(void) {
  char *uri, *json;
  axl_topic *all, *few;
  axl_topic_options topic;
  axl_publish_options options;
  const axl_event *event;
  int i, number, alls = 0, fews = 0;
  axl_node *bob = listening_node(&uri, 0);
  axl_node *alice = dialling_node(uri, 0);

  OK(axl_pubsub(bob, &json));
  CHECK(strcmp(json, "{\"running\":false,\"peers\":[],\"topics\":[]}") == 0);
  axl_free(json);
  AXL_INIT(topic);
  topic.max_waiting = 2;
  OK(axl_topic_join(bob, "numbers", &topic, &few));
  OK(axl_topic_join(bob, "numbers", NULL, &all));
  AXL_INIT(options);
  options.no_event = 1;
  for (i = 0; i < 5; ++i) OK(axl_publish(alice, "numbers", &i, sizeof i, &options));
  delivered(bob, 5); /* and nobody has polled */
  while (alls < 5 || fews < 2) {
    size_t size;
    event = await(bob, AXL_EVENT_TOPIC_MESSAGE);
    memcpy(&number, axl_message_data(event->message, &size), sizeof number);
    CHECK(size == sizeof number && number >= 0 && number < 5);
    CHECK(event->topic == all || event->topic == few);
    CHECK(event->missed == (event->topic == few && fews == 0 ? 3 : 0));
    ++*(event->topic == all ? &alls : &fews);
    axl_message_free(event->message);
  }
  CHECK(alls == 5 && fews == 2);
  OK(axl_publish(bob, "numbers", "own", 3, NULL)); /* does not come back */
  OK(axl_publish(alice, "numbers", "last", 4, NULL));
  CHECK(await(alice, AXL_EVENT_PUBLISHED)->peers == 1);
  for (i = 0; i < 2; ++i) {
    event = await(bob, AXL_EVENT_TOPIC_MESSAGE);
    CHECK(says(event->message, "last"));
    axl_message_free(event->message);
  }
  axl_topic_free(few);
  axl_topic_free(all);
  axl_node_destroy(alice);
  axl_node_destroy(bob);
  axl_free(uri);
}

static void refusals(void) {
  static char large[1024 * 1024 + 1];
  axl_node_options options;
  axl_pubsub_options open;
  axl_publish_options publish;
  axl_topic_options join;
  axl_topic *topic, *none;
  axl_node *node;
  int i;

  AXL_INIT(options);
  options.max_operations = 2;
  OK(axl_node_create(&options, &node));
  OK(axl_topic_join(node, "early", NULL, &topic)); /* before the start is fine */
  OK(axl_node_start(node));
  AXL_INIT(publish);
  publish.release = on_release;
  publish.release_user = &released;
  for (i = 0; i < 5; ++i) { /* what fails takes no room, and lends nothing */
    CHECK(axl_publish(node, "early", large, sizeof large, &publish) == AXL_E_TOO_LARGE);
    CHECK(axl_publish(node, "a\nb", "x", 1, &publish) == AXL_E_INVALID_ARGUMENT);
    CHECK(axl_publish(node, "early", NULL, 1, &publish) == AXL_E_INVALID_ARGUMENT);
  }
  OK(axl_publish(node, "early", "lent", 4, &publish));
  OK(axl_publish(node, "early", "lent", 4, &publish));
  CHECK(axl_publish(node, "early", "lent", 4, &publish) == AXL_E_WOULD_BLOCK);
  CHECK(await(node, AXL_EVENT_PUBLISHED)->status == AXL_OK);
  CHECK(await(node, AXL_EVENT_PUBLISHED)->peers == 0);
  publish.struct_size = 3;
  CHECK(axl_publish(node, "early", "x", 1, &publish) == AXL_E_INVALID_ARGUMENT);

  AXL_INIT(open);
  OK(axl_pubsub_open(node, &open));
  open.max_body = 1000;
  CHECK(axl_pubsub_open(node, &open) == AXL_E_ALREADY_EXISTS);
  open.peer_count = 1;
  CHECK(axl_pubsub_open(node, &open) == AXL_E_INVALID_ARGUMENT);
  open.struct_size = 1;
  CHECK(axl_pubsub_open(node, &open) == AXL_E_INVALID_ARGUMENT);
  AXL_INIT(join);
  join.struct_size = 1;
  CHECK(axl_topic_join(node, "x", &join, &none) == AXL_E_INVALID_ARGUMENT && none == NULL);
  OK(axl_serve_patterns(node, 0));
  CHECK(axl_serve_patterns(node, 0) == AXL_E_ALREADY_EXISTS);
  axl_node_destroy(node);
  axl_topic_free(topic);
  CHECK(released == 2);
}

static void unsigned_ones(void) {
  char *uri;
  axl_pubsub_options options;
  axl_topic *topic;
  axl_message *message;
  axl_key key;
  static const axl_key zero;
  axl_node *bob = listening_node(&uri, 0);
  axl_node *alice = dialling_node(uri, 0);

  AXL_INIT(options);
  options.no_signatures = 1;
  options.port = 7100;
  OK(axl_pubsub_open(bob, &options));
  OK(axl_pubsub_open(alice, &options));
  OK(axl_topic_join(bob, "t", NULL, &topic));
  OK(axl_publish(alice, "t", "claim", 5, NULL));
  message = await(bob, AXL_EVENT_TOPIC_MESSAGE)->message;
  axl_message_signer(message, &key);
  CHECK(memcmp(&key, &zero, sizeof key) == 0 && !axl_message_proved(message));
  axl_message_sender(message, &key);
  CHECK(is_key(&key, alice));
  axl_node_destroy(bob);
  axl_message_free(message);
  axl_topic_free(topic);
  axl_node_destroy(alice);
  axl_free(uri);
}

int main(void) {
  verdicts(0);
  verdicts(1);
  bounds();
  refusals();
  unsigned_ones();
  return 0;
}
