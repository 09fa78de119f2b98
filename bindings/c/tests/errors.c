/* What goes wrong has a status and a text, and costs nothing. */
#define _POSIX_C_SOURCE 200809L
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

static int released = 0;

static void on_release(void *user, const void *data, size_t size) {
  (void)user, (void)data, (void)size;
  ++released;
}

static void refuses(axl_node_options *options, axl_status status, const char *text) {
  axl_node *node = (axl_node *)options;
  CHECK(axl_node_create(options, &node) == status);
  CHECK(node == NULL && strstr(axl_last_error(), text) != NULL);
}

static void checks_options(void) {
  const char *bad_list[] = {NULL};
  struct {
    axl_node_options options;
    char more[64];
  } newer;
  axl_node_options options;
  axl_node *node;

  AXL_INIT(options);
  options.struct_size = 0;
  refuses(&options, AXL_E_INVALID_ARGUMENT, "struct_size is 0");
  options.struct_size = offsetof(axl_node_options, log_level);
  refuses(&options, AXL_E_INVALID_ARGUMENT, "struct_size");
  options.struct_size = (size_t)-1;
  refuses(&options, AXL_E_INVALID_ARGUMENT, "struct_size");

  AXL_INIT(options);
  options.peers = bad_list;
  options.peer_count = 1;
  refuses(&options, AXL_E_INVALID_ARGUMENT, "peers holds NULL");
  bad_list[0] = "tcp://127.0.0.1:1?key=nonsense";
  refuses(&options, AXL_E_INVALID_ARGUMENT, "tcp://127.0.0.1:1");
  options.peers = NULL;
  refuses(&options, AXL_E_INVALID_ARGUMENT, "peers is NULL");
  AXL_INIT(options);
  options.mtu = 100;
  refuses(&options, AXL_E_INVALID_ARGUMENT, "mtu");
  AXL_INIT(options);
  options.log_level = (axl_log_level)77;
  refuses(&options, AXL_E_INVALID_ARGUMENT, "log_level");
  options.log_level = AXL_LOG_DEFAULT;
  options.bulk_thread = (axl_bulk_thread)3;
  refuses(&options, AXL_E_INVALID_ARGUMENT, "bulk_thread");
  CHECK(axl_node_create(NULL, NULL) == AXL_E_INVALID_ARGUMENT);

  /* A program built with a later header: fine, as long as it asks for nothing that is not known here. */
  memset(&newer, 0, sizeof newer);
  newer.options.struct_size = sizeof newer;
  OK(axl_node_create(&newer.options, &node));
  axl_node_destroy(node);
  newer.more[40] = 1;
  refuses(&newer.options, AXL_E_NOT_SUPPORTED, "does not know");
}

/* A key that could not be written whole is none: an error says so, and nothing is left. */
static void checks_full_disk(const char *folder) {
  struct rlimit before, little;
  uint8_t seed[AXL_SEED_SIZE];
  char file[64];
  snprintf(file, sizeof file, "%s/no-room.pem", folder);
  CHECK(getrlimit(RLIMIT_FSIZE, &before) == 0);
  little = before;
  little.rlim_cur = 16;
  signal(SIGXFSZ, SIG_IGN);
  CHECK(setrlimit(RLIMIT_FSIZE, &little) == 0);
  CHECK(axl_key_load(file, 1, seed) == AXL_E_IO && strstr(axl_last_error(), file) != NULL);
  CHECK(setrlimit(RLIMIT_FSIZE, &before) == 0);
  CHECK(access(file, F_OK) != 0);
}

static void checks_keys(void) {
  uint8_t seed[AXL_SEED_SIZE], again[AXL_SEED_SIZE];
  char hex[AXL_KEY_HEX_SIZE], address[AXL_ADDRESS_TEXT_SIZE], *pem, path[] = "/tmp/axl-c-XXXXXX", file[64];
  axl_key key, copy;
  axl_node_options options;
  axl_node *node, *twin;
  struct stat status;

  OK(axl_key_generate(seed));
  OK(axl_key_public(seed, &key));
  axl_key_to_hex(&key, hex);
  OK(axl_key_from_hex(hex, &copy));
  CHECK(memcmp(&key, &copy, sizeof key) == 0 && strlen(hex) == 64);
  CHECK(axl_key_from_hex("12", &copy) == AXL_E_INVALID_ARGUMENT || axl_key_from_hex("12", &copy) == AXL_E_MALFORMED);
  axl_key_address(&key, address);
  CHECK(address[0] == '2' && strchr(address, ':') != NULL);
  OK(axl_key_to_pem(seed, &pem));
  OK(axl_key_from_pem(pem, again));
  CHECK(memcmp(seed, again, sizeof seed) == 0);
  axl_free(pem);
  CHECK(axl_key_from_pem("no key", again) != AXL_OK);

  CHECK(mkdtemp(path) != NULL);
  snprintf(file, sizeof file, "%s/key.pem", path);
  CHECK(axl_key_load(file, 0, seed) == AXL_E_NOT_FOUND && strstr(axl_last_error(), file) != NULL);
  OK(axl_key_load(file, 1, seed));
  CHECK(stat(file, &status) == 0 && (status.st_mode & 0777) == 0600);
  OK(axl_key_load(file, 1, again));
  CHECK(memcmp(seed, again, sizeof seed) == 0);
  CHECK(chmod(file, 0644) == 0);
  CHECK(axl_key_load(file, 1, again) == AXL_E_PERMISSION_DENIED);
  CHECK(axl_key_load(path, 0, again) != AXL_OK);
  unlink(file);
  checks_full_disk(path);
  CHECK(rmdir(path) == 0);

  AXL_INIT(options);
  options.seed = seed;
  OK(axl_node_create(&options, &node));
  OK(axl_key_public(seed, &key));
  axl_node_key(node, &copy);
  CHECK(memcmp(&key, &copy, sizeof key) == 0);
  CHECK(axl_node_create(&options, &twin) == AXL_E_ALREADY_EXISTS && twin == NULL);
  axl_node_destroy(node);
}

static void checks_calls(void) {
  char *uri, *text;
  uint8_t seed[AXL_SEED_SIZE];
  axl_key nobody, bob_key;
  axl_node_options options;
  axl_send_options send;
  axl_session_options session_options;
  axl_service_options service;
  axl_session *session;
  axl_subscription *subscription;
  axl_node *bob = listening_node(&uri, 0), *alice;
  const axl_event *event;
  int i;

  AXL_INIT(options);
  options.peers = (const char *const *)&uri;
  options.peer_count = 1;
  options.dial_timeout_ms = 300;
  options.send_timeout_ms = 300;
  options.max_operations = 4;
  OK(axl_node_create(&options, &alice));
  OK(axl_node_start(alice));
  await(alice, AXL_EVENT_PEER_UP);
  axl_node_key(bob, &bob_key);
  OK(axl_key_generate(seed));
  OK(axl_key_public(seed, &nobody));

  /* Nobody there. */
  AXL_INIT(send);
  send.release = on_release;
  OK(axl_send(alice, &nobody, "x", 1, &send));
  event = await(alice, AXL_EVENT_SENT);
  CHECK(event->status != AXL_OK && event->text[0] != '\0');
  while (released == 0) CHECK(axl_poll(alice, 10, &event) != AXL_E_CLOSED);
  OK(axl_ping(alice, &nobody, 200, NULL));
  CHECK(await(alice, AXL_EVENT_PONG)->status != AXL_OK);
  OK(axl_connect(alice, &nobody, 4000, NULL, &session));
  CHECK(axl_session_write(session, "x", 1) == AXL_E_CLOSED);
  CHECK(axl_session_pending(session) == 0 && !axl_session_congested(session) && axl_session_local_port(session) == 0);
  event = await(alice, AXL_EVENT_SESSION_CLOSED);
  CHECK(event->session == session && (event->status == AXL_E_TIMED_OUT || event->status == AXL_E_UNREACHABLE));
  axl_session_free(session);
  OK(axl_connect(alice, &bob_key, 4000, NULL, &session));
  CHECK(await(alice, AXL_EVENT_SESSION_CLOSED)->status == AXL_E_REFUSED);
  axl_session_free(session);

  /* Too much at once: the fifth has to wait until an event has been taken. Its buffer is not lent. */
  released = 0;
  for (i = 0; i < 4; ++i) OK(axl_send(alice, &bob_key, "x", 1, NULL));
  CHECK(axl_send(alice, &bob_key, "x", 1, &send) == AXL_E_WOULD_BLOCK);
  CHECK(axl_connect(alice, &bob_key, 4000, NULL, &session) == AXL_E_WOULD_BLOCK && session == NULL);
  await(alice, AXL_EVENT_SENT);
  OK(axl_send(alice, &bob_key, "x", 1, NULL));
  CHECK(released == 0);
  for (i = 0; i < 4; ++i) await(alice, AXL_EVENT_SENT);

  /* No sense. */
  send.struct_size = 3;
  CHECK(axl_send(alice, &bob_key, "x", 1, &send) == AXL_E_INVALID_ARGUMENT);
  AXL_INIT(send);
  send.retry_ms = 1000ULL * 60 * 60 * 25;
  CHECK(axl_send(alice, &bob_key, "x", 1, &send) == AXL_E_INVALID_ARGUMENT);
  CHECK(axl_send(alice, NULL, "x", 1, NULL) == AXL_E_INVALID_ARGUMENT);
  CHECK(axl_send(alice, &bob_key, NULL, 1, NULL) == AXL_E_INVALID_ARGUMENT);
  AXL_INIT(send);
  send.topic = "a\nb";
  OK(axl_send(alice, &bob_key, "x", 1, &send));
  CHECK(await(alice, AXL_EVENT_SENT)->status == AXL_E_INVALID_ARGUMENT);
  AXL_INIT(session_options);
  session_options.mode = (axl_session_mode)9;
  CHECK(axl_listen(bob, 4000, &session_options) == AXL_E_INVALID_ARGUMENT);
  CHECK(axl_listen(bob, 7000, NULL) == AXL_E_ALREADY_EXISTS);
  AXL_INIT(service);
  service.allow = &bob_key;
  service.allow_count = 1;
  CHECK(axl_service_add(bob, "open", &service) == AXL_E_INVALID_ARGUMENT); /* meant to be closed, surely */
  CHECK(axl_service_add(bob, "", NULL) == AXL_E_INVALID_ARGUMENT);
  CHECK(axl_service_add_url(bob, "web", "gopher://x", NULL) != AXL_OK);
  CHECK(axl_peer_add(alice, uri) == AXL_E_ALREADY_EXISTS);
  CHECK(axl_peer_add(alice, "carrier-pigeon") != AXL_OK);
  CHECK(axl_peer_remove(alice, "tcp://127.0.0.1:1") == AXL_E_NOT_FOUND);
  CHECK(axl_listener_add(bob, uri, &text) != AXL_OK && text == NULL);
  CHECK(axl_listener(bob, 1, &text) == AXL_E_NOT_FOUND);
  CHECK(axl_serve_api(bob, "0.0.0.0", 0, NULL) == AXL_E_PERMISSION_DENIED);
  CHECK(axl_known_node(alice, &nobody, &text) == AXL_E_NOT_FOUND && text == NULL);
  axl_free(uri);

  /* After the end. */
  axl_node_stop(bob);
  axl_node_stop(bob);
  CHECK(axl_node_start(bob) == AXL_E_CLOSED && axl_send(bob, &nobody, "x", 1, NULL) == AXL_E_CLOSED);
  CHECK(axl_topology(bob, &text) == AXL_E_CLOSED && axl_connect(bob, &nobody, 1, NULL, &session) == AXL_E_CLOSED);
  CHECK(axl_subscribe(bob, NULL, &subscription) == AXL_E_CLOSED && subscription == NULL);
  while (axl_poll(bob, -1, &event) == AXL_OK) axl_message_free(event->message);
  CHECK(axl_poll(bob, -1, &event) == AXL_E_CLOSED && event == NULL);
  axl_node_destroy(bob);
  axl_node_destroy(alice);
  axl_node_destroy(NULL);
  axl_session_free(NULL);
  axl_message_free(NULL);
  axl_request_free(NULL);
  axl_subscription_free(NULL);
}

int main(void) {
  int status;
  CHECK(strcmp(axl_version(), "") != 0);
  for (status = AXL_OK; status <= AXL_E_ENDED; ++status) {
    CHECK(strcmp(axl_status_text((axl_status)status), "unknown status") != 0);
  }
  CHECK(strcmp(axl_status_text((axl_status)1000), "unknown status") == 0);
  checks_options();
  checks_keys();
  checks_calls();
  return 0;
}
