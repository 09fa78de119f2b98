/* What is asked of no handle is answered as of nothing, and nothing is done. */
#include "check.h"

static const axl_key kZero;
static axl_key key;
static size_t size;

static int zeroed(void) {
  const int is_zero = memcmp(&key, &kZero, sizeof key) == 0;
  memset(&key, 7, sizeof key);
  return is_zero;
}

static int no_bytes(const void *data) {
  const int none = data == NULL && size == 0;
  size = 7;
  return none;
}

static int empty(const char *text) { return text != NULL && text[0] == '\0'; }

#define REFUSED(call) CHECK((call) == AXL_E_INVALID_ARGUMENT && axl_last_error()[0] != '\0')

static void nodes(void) {
  char hex[AXL_KEY_HEX_SIZE] = "x", address[AXL_ADDRESS_TEXT_SIZE] = "x", *text;
  const axl_event *event;
  int fd;
  axl_node_key(NULL, &key);
  CHECK(zeroed() && axl_node_user(NULL) == NULL);
  axl_node_set_user(NULL, &key);
  axl_node_set_log(NULL, NULL, NULL, AXL_LOG_DEFAULT);
  axl_node_stop(NULL);
  axl_wake(NULL);
  axl_key_to_hex(NULL, hex);
  axl_key_address(NULL, address);
  axl_key_to_hex(&key, NULL);
  axl_key_address(&key, NULL);
  CHECK(empty(hex) && empty(address));
  REFUSED(axl_node_start(NULL));
  REFUSED(axl_node_drain(NULL, NULL));
  REFUSED(axl_poll(NULL, 0, &event));
  REFUSED(axl_node_fd(NULL, &fd));
  REFUSED(axl_peers(NULL, &text));
  REFUSED(axl_statistics_get(NULL, NULL));
  REFUSED(axl_send(NULL, &key, "x", 1, NULL));
  REFUSED(axl_subscribe(NULL, NULL, NULL));
  REFUSED(axl_publish(NULL, "topic", "x", 1, NULL));
  REFUSED(axl_topic_join(NULL, "topic", NULL, NULL));
  REFUSED(axl_pubsub_open(NULL, NULL));
  REFUSED(axl_pubsub(NULL, &text));
  REFUSED(axl_serve_patterns(NULL, 0));
  REFUSED(axl_take_part(NULL, NULL));
  REFUSED(axl_contribute(NULL, "name", NULL, 0));
  REFUSED(axl_ask(NULL, "name", NULL));
  REFUSED(axl_merge_add(NULL, "name", NULL));
}

static void messages(void) {
  axl_message_sender(NULL, &key);
  CHECK(zeroed());
  axl_message_signer(NULL, &key);
  CHECK(zeroed());
  axl_message_relay(NULL, &key);
  CHECK(zeroed());
  axl_message_sender(NULL, NULL);
  axl_message_signer(NULL, NULL);
  axl_message_relay(NULL, NULL);
  CHECK(no_bytes(axl_message_data(NULL, &size)) && axl_message_data(NULL, NULL) == NULL);
  CHECK(empty(axl_message_id(NULL)) && empty(axl_message_topic(NULL)));
  CHECK(axl_message_hops(NULL) == 0 && axl_message_proved(NULL) == 0);
  REFUSED(axl_message_confirm(NULL));
  REFUSED(axl_message_judge(NULL, AXL_ACCEPT));
}

static void sessions(void) {
  axl_session_peer(NULL, &key);
  CHECK(zeroed());
  axl_session_peer(NULL, NULL);
  CHECK(axl_session_local_port(NULL) == 0 && axl_session_remote_port(NULL) == 0 && axl_session_user(NULL) == NULL);
  CHECK(axl_session_pending(NULL) == 0 && axl_session_congested(NULL) == 0);
  axl_session_set_user(NULL, &key);
  axl_session_pause(NULL);
  axl_session_resume(NULL);
  axl_session_finish(NULL);
  axl_session_close(NULL);
  axl_session_abort(NULL);
  REFUSED(axl_session_write(NULL, "x", 1));
  REFUSED(axl_session_send(NULL, "x", 1));
  REFUSED(axl_session_write_lent(NULL, "x", 1, NULL, NULL));
  REFUSED(axl_session_send_lent(NULL, "x", 1, NULL, NULL));
}

static void requests(void) {
  axl_header header;
  axl_request_caller(NULL, &key);
  CHECK(zeroed());
  axl_request_caller(NULL, NULL);
  CHECK(empty(axl_request_service(NULL)) && empty(axl_request_method(NULL)));
  CHECK(empty(axl_request_path(NULL)) && empty(axl_request_query(NULL)));
  CHECK(axl_request_header(NULL, "name") == NULL && axl_request_header_at(NULL, 0, &header) == 0);
  CHECK(no_bytes(axl_request_body(NULL, &size)) && axl_request_body(NULL, NULL) == NULL);
  CHECK(axl_request_pending(NULL) == 0 && axl_request_connected(NULL) == 0 && axl_request_user(NULL) == NULL);
  axl_request_set_user(NULL, &key);
  axl_request_abort(NULL);
  REFUSED(axl_request_respond(NULL, 200, NULL, 0, NULL, 0));
  REFUSED(axl_request_respond_json(NULL, "{}"));
  REFUSED(axl_request_start(NULL, 200, NULL, 0));
  REFUSED(axl_request_write(NULL, "x", 1));
  REFUSED(axl_request_finish(NULL));
}

static void aggregations(void) {
  axl_aggregate group;
  AXL_INIT(group);
  CHECK(empty(axl_question_name(NULL)) && empty(axl_question_merge(NULL)));
  CHECK(axl_question_operation(NULL) == AXL_OP_DEFAULT && axl_question_timeout_ms(NULL) == 0);
  CHECK(axl_question_tells_all(NULL) == 0);
  REFUSED(axl_question_answer(NULL, NULL, 0));
  CHECK(empty(axl_merge_name(NULL)));
  CHECK(no_bytes(axl_merge_first(NULL, &size)) && no_bytes(axl_merge_second(NULL, &size)));
  CHECK(axl_merge_first(NULL, NULL) == NULL && axl_merge_second(NULL, NULL) == NULL);
  REFUSED(axl_merge_answer(NULL, "x", 1));
  CHECK(empty(axl_outcome_name(NULL)) && axl_outcome_operation(NULL) == AXL_OP_DEFAULT);
  CHECK(!axl_outcome_complete(NULL) && !axl_outcome_settling(NULL) && !axl_outcome_truncated(NULL));
  CHECK(axl_outcome_contributed(NULL) + axl_outcome_abstained(NULL) + axl_outcome_missing(NULL) == 0);
  CHECK(axl_outcome_missing_key(NULL, 0, &key) == 0 && zeroed() && axl_outcome_missing_key(NULL, 0, NULL) == 0);
  REFUSED(axl_outcome_group(NULL, 0, &group));
}

static void frees(void) {
  axl_node_destroy(NULL);
  axl_session_free(NULL);
  axl_message_free(NULL);
  axl_request_free(NULL);
  axl_subscription_free(NULL);
  axl_topic_free(NULL);
  axl_question_free(NULL);
  axl_outcome_free(NULL);
  axl_merge_free(NULL);
  axl_free(NULL);
}

int main(void) {
  size = 7;
  memset(&key, 7, sizeof key);
  nodes();
  messages();
  sessions();
  requests();
  aggregations();
  frees();
  return 0;
}
