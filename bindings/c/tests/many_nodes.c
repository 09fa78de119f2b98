/* Nodes are created, started, used and destroyed, again and again: nothing stays open.
 *
 * Usage: many_nodes [TIMES]
 */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>

#include "check.h"

static int released = 0;

static void on_release(void *user, const void *data, size_t size) {
  (void)user, (void)data, (void)size;
  ++released;
}

static int open_descriptors(void) {
  int count = 0;
  DIR *directory = opendir("/proc/self/fd");
  CHECK(directory != NULL);
  while (readdir(directory) != NULL) ++count;
  closedir(directory);
  return count;
}

/* How far a pair of nodes gets before it goes. */
static void live(int time) {
  char *uri;
  axl_key bob_key;
  axl_send_options options;
  axl_session *session;
  axl_subscription *subscription;
  axl_topic *topic;
  axl_message *message = NULL;
  const int no_thread = time % 4 == 3;
  axl_node *bob = listening_node(&uri, 0);
  axl_node *alice = dialling_node(uri, no_thread);

  axl_node_key(bob, &bob_key);
  OK(axl_listen(bob, 4000, NULL));
  OK(axl_service_add(bob, "service", NULL));
  OK(axl_serve_api(bob, "127.0.0.1", 0, NULL));
  OK(axl_subscribe(bob, NULL, &subscription));
  OK(axl_topic_join(bob, "topic", NULL, &topic));
  AXL_INIT(options);
  options.release = on_release;
  OK(axl_send(alice, &bob_key, "hello", 5, &options));
  OK(axl_connect(alice, &bob_key, 4000, NULL, &session));
  OK(axl_take_part(bob, NULL));
  OK(axl_publish(alice, "topic", "hello", 5, NULL));
  OK(axl_ask(alice, "nodes", NULL));
  if (time % 4 > 0) {
    CHECK(await(alice, AXL_EVENT_SENT)->status == AXL_OK);
    message = await(bob, AXL_EVENT_MESSAGE)->message;
  }
  axl_free(uri);
  axl_subscription_free(time % 3 == 0 ? subscription : NULL);
  axl_node_destroy(time % 2 == 0 ? alice : bob);
  axl_session_free(session);
  axl_topic_free(time % 3 == 1 ? topic : NULL);
  axl_node_destroy(time % 2 == 0 ? bob : alice);
  axl_subscription_free(time % 3 == 0 ? NULL : subscription);
  axl_topic_free(time % 3 == 1 ? NULL : topic);
  axl_message_free(message); /* handles may outlive their nodes */
}

int main(int argc, char **argv) {
  const int times = argc > 1 ? atoi(argv[1]) : 24;
  int i, before;
  for (i = 0; i < 4; ++i) live(i);
  before = open_descriptors();
  for (i = 0; i < times; ++i) live(i);
  CHECK(open_descriptors() == before);
  CHECK(released == times + 4);
  return 0;
}
