/* A node is stopped by one thread while others connect, send, receive much, ask and poll; every call that was accepted
 * still has its one event. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>

#include "check.h"

enum { kRounds = 6, kSenders = 2 };

static char large[4 * 1024 * 1024];

typedef struct {
  axl_node *node;
  axl_key to;
  pthread_mutex_t lock;
  pthread_cond_t busy;
  int received;     /* bytes and messages have come */
  long begun, ended; /* sends, publications and questions */
} Round;

static void count_begun(Round *round) {
  pthread_mutex_lock(&round->lock);
  ++round->begun;
  pthread_mutex_unlock(&round->lock);
}

static void *send_on(void *argument) {
  Round *round = (Round *)argument;
  axl_status status;
  do {
    status = axl_send(round->node, &round->to, large, 64 * 1024, NULL);
    if (status == AXL_OK) count_begun(round);
  } while (status == AXL_OK || status == AXL_E_WOULD_BLOCK);
  CHECK(status == AXL_E_CLOSED);
  return NULL;
}

/* Takes part in what the others have a part in, and leaves. */
static void *publish_on(void *argument) {
  Round *round = (Round *)argument;
  axl_status status;
  do {
    axl_topic *topic;
    axl_value value;
    memset(&value, 0, sizeof value);
    status = axl_topic_join(round->node, "busy", NULL, &topic);
    if (status == AXL_OK) status = axl_publish(round->node, "busy", large, 1024, NULL);
    if (status == AXL_OK) count_begun(round);
    axl_topic_free(topic);
    if (status == AXL_OK) status = axl_contribute(round->node, "busy", &value, 1);
    if (status == AXL_OK) status = axl_ask(round->node, "busy", NULL);
    if (status == AXL_OK) count_begun(round);
  } while (status == AXL_OK || status == AXL_E_WOULD_BLOCK);
  CHECK(status == AXL_E_CLOSED);
  return NULL;
}

static void *connect_on(void *argument) {
  Round *round = (Round *)argument;
  axl_status status;
  do {
    axl_session *session;
    status = axl_connect(round->node, &round->to, 4999, NULL, &session); /* refused, or cut */
    if (status == AXL_OK) {
      axl_session_write(session, "x", 1);
      axl_session_free(session); /* no event names it any more */
    }
  } while (status == AXL_OK || status == AXL_E_WOULD_BLOCK);
  CHECK(status == AXL_E_CLOSED);
  return NULL;
}

static void *ask_on(void *argument) {
  Round *round = (Round *)argument;
  axl_status status;
  do {
    char *text;
    axl_subscription *subscription;
    status = axl_topology(round->node, &text);
    axl_free(text);
    if (status == AXL_OK) {
      status = axl_subscribe(round->node, NULL, &subscription);
      axl_subscription_free(subscription);
    }
  } while (status == AXL_OK);
  CHECK(status == AXL_E_CLOSED);
  return NULL;
}

static void *poll_on(void *argument) {
  Round *round = (Round *)argument;
  const axl_event *event;
  axl_status status;
  axl_session *accepted = NULL;
  while ((status = axl_poll(round->node, -1, &event)) != AXL_E_CLOSED) {
    if (status != AXL_OK) continue;
    pthread_mutex_lock(&round->lock);
    if (event->kind == AXL_EVENT_SENT || event->kind == AXL_EVENT_PUBLISHED || event->kind == AXL_EVENT_OUTCOME) {
      ++round->ended;
    }
    if (event->kind == AXL_EVENT_SESSION_DATA && round->ended > 0) {
      round->received = 1;
      pthread_cond_signal(&round->busy);
    }
    pthread_mutex_unlock(&round->lock);
    if (event->kind == AXL_EVENT_SESSION_ACCEPTED) accepted = event->session;
    axl_message_free(event->message);
    axl_outcome_free(event->outcome);
  }
  axl_session_free(accepted);
  return NULL;
}

/* The other side: floods the node on a session until that ends. */
static void *flood(void *argument) {
  Round *round = (Round *)argument;
  axl_session *session = NULL;
  const axl_event *event;
  axl_status status;
  OK(axl_connect(round->node, &round->to, 4000, NULL, &session));
  for (;;) {
    status = axl_poll(round->node, -1, &event);
    if (status == AXL_E_CLOSED) break;
    if (status != AXL_OK) continue;
    axl_message_free(event->message);
    if (event->kind == AXL_EVENT_SESSION_CLOSED && event->session == session) break;
    if (event->kind == AXL_EVENT_SESSION_OPEN || event->kind == AXL_EVENT_SESSION_WRITABLE) {
      while (!axl_session_congested(session) && axl_session_write(session, large, 256 * 1024) == AXL_OK) {
      }
    }
  }
  axl_session_free(session);
  return NULL;
}

static void round_of(int no_thread) {
  char *uri;
  Round round, other;
  pthread_t threads[kSenders + 5];
  int i, count = 0;
  axl_node_options options;
  axl_node *bob = listening_node(&uri, 0);

  memset(&round, 0, sizeof round);
  memset(&other, 0, sizeof other);
  pthread_mutex_init(&round.lock, NULL);
  pthread_cond_init(&round.busy, NULL);
  AXL_INIT(options);
  options.peers = (const char *const *)&uri;
  options.peer_count = 1;
  options.no_thread = no_thread;
  options.max_operations = 64;
  OK(axl_node_create(&options, &round.node));
  OK(axl_listen(round.node, 4000, NULL));
  OK(axl_node_start(round.node));
  axl_node_key(bob, &round.to);
  other.node = bob;
  axl_node_key(round.node, &other.to);

  CHECK(pthread_create(&threads[count++], NULL, poll_on, &round) == 0);
  CHECK(pthread_create(&threads[count++], NULL, flood, &other) == 0);
  for (i = 0; i < kSenders; ++i) CHECK(pthread_create(&threads[count++], NULL, send_on, &round) == 0);
  CHECK(pthread_create(&threads[count++], NULL, connect_on, &round) == 0);
  CHECK(pthread_create(&threads[count++], NULL, ask_on, &round) == 0);
  CHECK(pthread_create(&threads[count++], NULL, publish_on, &round) == 0);

  pthread_mutex_lock(&round.lock);
  while (!round.received) pthread_cond_wait(&round.busy, &round.lock);
  pthread_mutex_unlock(&round.lock);
  axl_node_stop(round.node);
  axl_wake(round.node);
  axl_node_stop(bob);
  for (i = 0; i < count; ++i) CHECK(pthread_join(threads[i], NULL) == 0);
  CHECK(round.begun > 0 && round.begun == round.ended);
  axl_node_destroy(round.node);
  axl_node_destroy(bob);
  axl_free(uri);
  pthread_mutex_destroy(&round.lock);
  pthread_cond_destroy(&round.busy);
}

int main(void) {
  int i;
  for (i = 0; i < kRounds; ++i) round_of(i % 2);
  return 0;
}
