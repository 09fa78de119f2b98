/* A service answered through events, called over the local HTTP API of another node: whole, in pieces, not at all. */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

static const char *const kRequest = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}";

static int dial(uint16_t port) {
  struct sockaddr_in address;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(fd >= 0);
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
  return fd;
}

/* Begins a call of `service` behind the node with that key; the body is kRequest and spaces, `size` bytes in all. */
static int begin_large_call(uint16_t port, const axl_key *key, const char *service, size_t body_size) {
  char hex[AXL_KEY_HEX_SIZE], head[1024], spaces[64 * 1024];
  size_t left = body_size - strlen(kRequest);
  int fd = dial(port), size;
  axl_key_to_hex(key, hex);
  size = snprintf(head, sizeof head,
                  "POST /mcp/%s/%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Test: as sent\r\n"
                  "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"
                  "Content-Length: %d\r\n\r\n%s",
                  hex, service, (int)body_size, kRequest);
  CHECK(write(fd, head, (size_t)size) == size);
  memset(spaces, ' ', sizeof spaces);
  while (left > 0) {
    const ssize_t written = write(fd, spaces, left < sizeof spaces ? left : sizeof spaces);
    CHECK(written > 0);
    left -= (size_t)written;
  }
  return fd;
}

static int begin_call(uint16_t port, const axl_key *key, const char *service) {
  return begin_large_call(port, key, service, strlen(kRequest));
}

/* Reads to the end. */
static void read_answer(int fd, char *text, size_t room) {
  size_t have = 0;
  ssize_t got;
  while (have + 1 < room && (got = read(fd, text + have, room - have - 1)) > 0) have += (size_t)got;
  text[have] = '\0';
  close(fd);
}

static void looks_at(axl_request *request, const axl_key *caller, int *user) {
  axl_key key;
  axl_header header;
  size_t size, i;
  int found = 0;

  axl_request_caller(request, &key);
  CHECK(memcmp(&key, caller, sizeof key) == 0);
  CHECK(strcmp(axl_request_service(request), "echo") == 0 && strcmp(axl_request_method(request), "POST") == 0);
  CHECK(axl_request_path(request) != NULL && axl_request_query(request) != NULL);
  CHECK(strcmp(axl_request_header(request, "x-test"), "as sent") == 0 && axl_request_header(request, "x-none") == NULL);
  for (i = 0; axl_request_header_at(request, i, &header); ++i) found |= strcmp(header.value, "as sent") == 0;
  CHECK(found);
  CHECK(memcmp(axl_request_body(request, &size), kRequest, strlen(kRequest)) == 0 && size == strlen(kRequest));
  CHECK(axl_request_user(request) == user && axl_request_connected(request) == 1);
}

int main(void) {
  static char answer[64 * 1024];
  const axl_header event_stream = {"Content-Type", "text/event-stream"};
  char *uri, *json;
  int mark, fd, busy[2];
  uint16_t api;
  struct pollfd watched[2], large[7];
  size_t i, size;
  axl_key alice_key, bob_key;
  axl_service_options options;
  axl_request *request, *second;
  const axl_event *event;
  axl_node *bob = listening_node(&uri, 0);
  axl_node *alice = dialling_node(uri, 0);

  axl_node_key(alice, &alice_key);
  axl_node_key(bob, &bob_key);
  OK(axl_serve_api(alice, "127.0.0.1", 0, &api));
  AXL_INIT(options);
  options.user = &mark;
  options.restricted = 1;
  options.allow = &alice_key;
  options.allow_count = 1;
  options.max_waiting = 1;
  OK(axl_service_add(bob, "echo", &options));
  OK(axl_service_add_url(bob, "web", "http://127.0.0.1:9/mcp", NULL));
  OK(axl_services(bob, &json));
  CHECK(strstr(json, "\"name\":\"echo\",\"kind\":\"handler\"") != NULL);
  CHECK(strstr(json, "\"endpoint\":\"http://127.0.0.1:9/mcp\"") != NULL);
  axl_free(json);
  OK(axl_service_remove(bob, "web"));
  CHECK(axl_service_remove(bob, "web") == AXL_E_NOT_FOUND);
  await(alice, AXL_EVENT_PEER_UP);

  /* Whole. */
  fd = begin_call(api, &bob_key, "echo");
  event = await(bob, AXL_EVENT_REQUEST);
  request = event->request;
  CHECK(event->user == &mark);
  looks_at(request, &alice_key, &mark);
  CHECK(axl_request_respond(request, 99, NULL, 0, NULL, 0) == AXL_E_INVALID_ARGUMENT);
  OK(axl_request_respond_json(request, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}"));
  CHECK(axl_request_respond_json(request, "{}") == AXL_E_CLOSED);
  axl_request_free(request);
  read_answer(fd, answer, sizeof answer);
  CHECK(strncmp(answer, "HTTP/1.1 200 ", 13) == 0 && strstr(answer, "\"result\":{}") != NULL);

  /* In pieces. */
  fd = begin_call(api, &bob_key, "echo");
  request = await(bob, AXL_EVENT_REQUEST)->request;
  OK(axl_request_start(request, 200, &event_stream, 1));
  OK(axl_request_write(request, "data: {\"a\":1}\n\n", 15));
  CHECK(axl_request_start(request, 200, NULL, 0) == AXL_E_ALREADY_EXISTS);
  OK(axl_request_write(request, "data: {\"a\":2}\n\n", 15));
  OK(axl_request_finish(request));
  axl_request_free(request);
  read_answer(fd, answer, sizeof answer);
  CHECK(strstr(answer, "{\"a\":1}") && strstr(answer, "{\"a\":2}") && strstr(answer, "text/event-stream"));

  /* Not answered at all. */
  fd = begin_call(api, &bob_key, "echo");
  axl_request_free(await(bob, AXL_EVENT_REQUEST)->request);
  read_answer(fd, answer, sizeof answer);
  CHECK(strncmp(answer, "HTTP/1.1 500 ", 13) == 0);

  /* The caller goes. */
  fd = begin_call(api, &bob_key, "echo");
  request = await(bob, AXL_EVENT_REQUEST)->request;
  OK(axl_request_start(request, 200, &event_stream, 1));
  close(fd);
  axl_request_set_user(request, answer);
  event = await(bob, AXL_EVENT_REQUEST_CANCELLED);
  CHECK(event->request == request && event->user == answer);
  CHECK(axl_request_connected(request) == 0 && axl_request_write(request, "x", 1) == AXL_E_CLOSED);
  axl_request_free(request);

  /* One may wait to be polled; another one is told so. */
  busy[0] = begin_call(api, &bob_key, "echo");
  busy[1] = begin_call(api, &bob_key, "echo");
  watched[0].fd = busy[0];
  watched[1].fd = busy[1];
  watched[0].events = watched[1].events = POLLIN;
  CHECK(poll(watched, 2, -1) == 1); /* the other one waits until it is polled */
  fd = watched[0].revents != 0 ? 0 : 1;
  read_answer(busy[fd], answer, sizeof answer);
  CHECK(strncmp(answer, "HTTP/1.1 503 ", 13) == 0 && strstr(answer, "Too many requests wait") != NULL);
  second = await(bob, AXL_EVENT_REQUEST)->request;
  OK(axl_request_respond_json(second, "{}"));
  axl_request_free(second);
  read_answer(busy[1 - fd], answer, sizeof answer);
  CHECK(strncmp(answer, "HTTP/1.1 200 ", 13) == 0);

  /* Large ones are told so when their bodies would fill too much memory, however many may wait. */
  options.max_waiting = 0;
  OK(axl_service_add(bob, "large", &options));
  for (i = 0; i < 7; ++i) {
    large[i].fd = begin_large_call(api, &bob_key, "large", 10 * 1024 * 1024);
    large[i].events = POLLIN;
  }
  CHECK(poll(large, 7, -1) == 1); /* six of them fit into 64 MiB */
  for (i = 0; large[i].revents == 0;) ++i;
  read_answer(large[i].fd, answer, sizeof answer);
  CHECK(strncmp(answer, "HTTP/1.1 503 ", 13) == 0 && strstr(answer, "Too many requests wait") != NULL);
  large[i].fd = -1;
  for (i = 0; i < 6; ++i) {
    request = await(bob, AXL_EVENT_REQUEST)->request;
    CHECK(axl_request_body(request, &size) != NULL && size == 10 * 1024 * 1024);
    OK(axl_request_respond_json(request, "{}"));
    axl_request_free(request);
  }
  for (i = 0; i < 7; ++i) {
    if (large[i].fd < 0) continue;
    read_answer(large[i].fd, answer, sizeof answer);
    CHECK(strncmp(answer, "HTTP/1.1 200 ", 13) == 0);
  }

  /* A request outlives its node. */
  fd = begin_call(api, &bob_key, "echo");
  request = await(bob, AXL_EVENT_REQUEST)->request;
  axl_node_destroy(bob);
  CHECK(axl_request_connected(request) == 0 && axl_request_respond_json(request, "{}") == AXL_E_CLOSED);
  axl_request_free(request);
  axl_node_destroy(alice);
  close(fd);
  axl_free(uri);
  return 0;
}
