/* Questions over three nodes in a line: every operation, whoever asks; groups, merges, who is told, who is missing. */
#include <math.h>

#include "check.h"

enum { kNodes = 3 };

static struct {
  axl_node *nodes[kNodes];
  axl_outcome *outcome;
  axl_status status;
  int ended, told, refuse;
  int64_t told_value;
} mesh;

static axl_value number(const char *group, double real) {
  axl_value value;
  memset(&value, 0, sizeof value);
  value.group = group;
  value.number.is_real = 1;
  value.number.real = real;
  return value;
}

static axl_value whole(const char *group, int64_t integer) {
  axl_value value;
  memset(&value, 0, sizeof value);
  value.group = group;
  value.number.integer = integer;
  return value;
}

static axl_value bytes(const char *text) {
  axl_value value;
  memset(&value, 0, sizeof value);
  value.data = text;
  value.size = strlen(text);
  return value;
}

static axl_aggregate group_of(const axl_outcome *outcome, size_t index) {
  axl_aggregate group;
  AXL_INIT(group);
  OK(axl_outcome_group(outcome, index, &group));
  return group;
}

static void answer(axl_question *question) {
  axl_value values[2];
  const char *name = axl_question_name(question);
  CHECK(axl_question_timeout_ms(question) == 2000);
  if (strcmp(name, "load") == 0) {
    values[0] = number(NULL, 1.5);
    OK(axl_question_answer(question, values, 1));
    CHECK(axl_question_answer(question, values, 1) == AXL_E_NOT_FOUND);
  } else if (strcmp(name, "use") == 0) {
    values[0] = whole("disk", (int64_t)1 << 62);
    values[1] = whole("cpu", 2);
    OK(axl_question_answer(question, values, 2));
  } else if (strcmp(name, "words") == 0) {
    CHECK(axl_question_operation(question) == AXL_OP_CUSTOM && strcmp(axl_question_merge(question), "join") == 0);
    values[0] = bytes("c");
    OK(axl_question_answer(question, values, 1));
  } else {
    CHECK(strcmp(name, "nothing") == 0 && axl_question_tells_all(question) == 0);
  }
  axl_question_free(question); /* nothing to say, if it is not answered */
}

static void merge(axl_merge *merge) {
  char both[64];
  size_t first, second;
  const void *data = axl_merge_first(merge, &first);
  CHECK(strcmp(axl_merge_name(merge), "join") == 0 && first < 32);
  memcpy(both, data, first);
  data = axl_merge_second(merge, &second);
  CHECK(second < 32);
  memcpy(both + first, data, second);
  if (!mesh.refuse) {
    static char large[16385];
    CHECK(axl_merge_answer(merge, large, sizeof large) == AXL_E_TOO_LARGE);
    OK(axl_merge_answer(merge, both, first + second));
    CHECK(axl_merge_answer(merge, both, 1) == AXL_E_NOT_FOUND);
  }
  axl_merge_free(merge);
}

/* One event of one node, if there is one. */
static void step(axl_node *node) {
  const axl_event *event;
  if (axl_poll(node, 1, &event) != AXL_OK) return;
  axl_message_free(event->message);
  if (event->kind == AXL_EVENT_QUESTION) {
    CHECK(node == mesh.nodes[2] && event->user == &mesh);
    answer(event->question);
  } else if (event->kind == AXL_EVENT_MERGE_WANTED) {
    CHECK(event->user == &mesh.refuse);
    merge(event->merge);
  } else if (event->kind == AXL_EVENT_TOLD) {
    CHECK(node == mesh.nodes[2] && event->user == &mesh && strcmp(axl_outcome_name(event->outcome), "load") == 0);
    mesh.told_value = group_of(event->outcome, 0).value.integer;
    ++mesh.told;
    axl_outcome_free(event->outcome);
  } else if (event->kind == AXL_EVENT_OUTCOME) {
    CHECK(event->user == &mesh.ended && (event->status == AXL_OK) == (event->outcome != NULL));
    CHECK(event->status == AXL_OK || event->text[0] != '\0');
    axl_outcome_free(mesh.outcome);
    mesh.outcome = event->outcome;
    mesh.status = event->status;
    mesh.ended = 1;
  }
}

static void turn(void) {
  int i;
  for (i = 0; i < kNodes; ++i) step(mesh.nodes[i]);
}

static axl_ask_options operation(axl_operation operation) {
  axl_ask_options options;
  AXL_INIT(options);
  options.user = &mesh.ended;
  options.operation = operation;
  options.timeout_ms = 2000;
  return options;
}

static void ask(int from, const char *name, const axl_ask_options *options) {
  mesh.ended = 0;
  OK(axl_ask(mesh.nodes[from], name, options));
  while (!mesh.ended) turn();
}

/* Again, until every node is in it: while the tree forms outcomes are of fewer, and settling. */
static const axl_outcome *ask_all(int from, const char *name, const axl_ask_options *options) {
  const axl_outcome *outcome;
  for (;;) {
    ask(from, name, options);
    CHECK(mesh.status == AXL_OK || mesh.status == AXL_E_TIMED_OUT || mesh.status == AXL_E_BUSY);
    outcome = mesh.outcome;
    if (axl_outcome_contributed(outcome) + axl_outcome_abstained(outcome) < kNodes) continue;
    CHECK(axl_outcome_operation(outcome) == options->operation && strcmp(axl_outcome_name(outcome), name) == 0);
    CHECK(axl_outcome_complete(outcome) == (axl_outcome_missing(outcome) == 0 && !axl_outcome_settling(outcome)));
    return outcome;
  }
}

static double value_of(int from, axl_operation of) {
  const axl_ask_options options = operation(of);
  const axl_outcome *outcome = ask_all(from, "load", &options);
  const axl_aggregate group = group_of(outcome, 0);
  axl_aggregate none = group;
  CHECK(axl_outcome_group(outcome, 1, &none) == AXL_E_NOT_FOUND);
  CHECK(axl_outcome_contributed(outcome) == 3 && axl_outcome_missing(outcome) == 0 && !axl_outcome_truncated(outcome));
  CHECK(group.count == 3 && strcmp(group.group, "") == 0 && group.top_count == 0 && group.size == 0);
  CHECK(group.value.is_real == (group.value.real != floor(group.value.real)));
  if (!group.value.is_real) CHECK((double)group.value.integer == group.value.real);
  return group.value.real;
}

static void operations(void) {
  axl_ask_options options = operation(AXL_OP_TOP);
  const axl_outcome *outcome;
  axl_aggregate group;
  axl_key key;
  CHECK(value_of(0, AXL_OP_SUM) == 3);
  CHECK(value_of(1, AXL_OP_COUNT) == 3);
  CHECK(value_of(2, AXL_OP_MIN) == 0.5);
  CHECK(value_of(0, AXL_OP_MAX) == 1.5);
  CHECK(value_of(1, AXL_OP_MEAN) == 1);

  options.limit = 2;
  group = group_of(ask_all(2, "load", &options), 0);
  CHECK(group.top_count == 2 && group.count == 3);
  axl_node_key(mesh.nodes[2], &key);
  CHECK(group.top[0].value.is_real && group.top[0].value.real == 1.5);
  CHECK(memcmp(&group.top[0].node, &key, sizeof key) == 0);
  axl_node_key(mesh.nodes[1], &key);
  CHECK(!group.top[1].value.is_real && group.top[1].value.integer == 1);
  CHECK(memcmp(&group.top[1].node, &key, sizeof key) == 0);

  options = operation(AXL_OP_SUM);
  outcome = ask_all(0, "use", &options);
  CHECK(axl_outcome_contributed(outcome) == 2 && axl_outcome_abstained(outcome) == 1);
  group = group_of(outcome, 0);
  CHECK(strcmp(group.group, "cpu") == 0 && group.count == 2 && group.value.integer == 5);
  group = group_of(outcome, 1);
  CHECK(strcmp(group.group, "disk") == 0 && group.count == 1 && group.value.integer == (int64_t)1 << 62);
  outcome = ask_all(1, "nothing", &options);
  CHECK(axl_outcome_abstained(outcome) == 3 && axl_outcome_contributed(outcome) == 0);

  options.tell_all = 1;
  mesh.told = 0;
  ask_all(0, "load", &options);
  while (mesh.told == 0) turn();
  CHECK(mesh.told_value == 3);
}

static int holds(const axl_aggregate *group, const char *text) {
  return group->size == strlen(text) && memcmp(group->data, text, group->size) == 0;
}

static void merges(void) {
  axl_ask_options options = operation(AXL_OP_CUSTOM);
  const axl_outcome *outcome;
  axl_aggregate group;
  axl_value value;
  int i;
  options.merge = "join";
  while (mesh.status != AXL_E_NOT_SUPPORTED) ask(0, "words", &options);
  for (i = 0; i < kNodes; ++i) {
    OK(axl_merge_add(mesh.nodes[i], "join", &mesh.refuse));
    CHECK(axl_merge_add(mesh.nodes[i], "join", NULL) == AXL_E_ALREADY_EXISTS);
  }
  CHECK(axl_merge_add(mesh.nodes[0], "", NULL) == AXL_E_INVALID_ARGUMENT);
  value = bytes("a");
  OK(axl_contribute(mesh.nodes[0], "words", &value, 1));
  value = bytes("b");
  OK(axl_contribute(mesh.nodes[1], "words", &value, 1));
  outcome = ask_all(0, "words", &options);
  group = group_of(outcome, 0);
  CHECK(group.count == 3 && axl_outcome_missing(outcome) == 0);
  CHECK(holds(&group, "abc") || holds(&group, "acb") || holds(&group, "bac") || holds(&group, "bca") ||
        holds(&group, "cab") || holds(&group, "cba"));

  /* What is not merged is missing, and nothing that is not merged is counted. */
  mesh.refuse = 1;
  do ask(2, "words", &options);
  while (mesh.status != AXL_OK);
  group = group_of(mesh.outcome, 0);
  CHECK(group.count == 1 && group.size == 1 && axl_outcome_contributed(mesh.outcome) == 1);
  CHECK(axl_outcome_missing(mesh.outcome) >= 1 && !axl_outcome_complete(mesh.outcome));
  mesh.refuse = 0;
}

/* A fourth node that takes no part is missing by name. Its key is not the lowest, which would make it the root. */
static void missing(const char *uri) {
  const axl_ask_options options = operation(AXL_OP_SUM);
  axl_node_options silent_options;
  axl_node *silent;
  axl_key key, named, middle;
  uint8_t seed[AXL_SEED_SIZE];
  axl_node_key(mesh.nodes[1], &middle);
  do {
    OK(axl_key_generate(seed));
    OK(axl_key_public(seed, &key));
  } while (memcmp(&key, &middle, sizeof key) < 0);
  AXL_INIT(silent_options);
  silent_options.seed = seed;
  silent_options.peers = &uri;
  silent_options.peer_count = 1;
  OK(axl_node_create(&silent_options, &silent));
  OK(axl_node_start(silent));
  do ask(0, "load", &options);
  while (mesh.status != AXL_OK || axl_outcome_missing(mesh.outcome) == 0 || axl_outcome_contributed(mesh.outcome) < 3);
  CHECK(axl_outcome_missing_key(mesh.outcome, 0, &named) && memcmp(&key, &named, sizeof key) == 0);
  CHECK(!axl_outcome_missing_key(mesh.outcome, 1, &named) && !axl_outcome_complete(mesh.outcome));
  CHECK(group_of(mesh.outcome, 0).value.integer == 3);
  axl_node_destroy(silent);
}

static void three_nodes(int no_thread) {
  char *uri;
  axl_take_part_options part;
  axl_value value;
  int i;
  mesh.nodes[1] = listening_node(&uri, 0);
  mesh.nodes[0] = dialling_node(uri, no_thread);
  mesh.nodes[2] = dialling_node(uri, 0);
  value = number(NULL, 0.5);
  OK(axl_contribute(mesh.nodes[0], "load", &value, 1));
  value = number(NULL, 1.0); /* a whole number all the same */
  OK(axl_contribute(mesh.nodes[1], "load", &value, 1));
  value = whole("cpu", 3);
  OK(axl_contribute(mesh.nodes[1], "use", &value, 1));
  AXL_INIT(part);
  part.user = &mesh;
  part.questions = 1;
  part.told = 1;
  OK(axl_take_part(mesh.nodes[2], &part));
  operations();
  merges();
  if (!no_thread) missing(uri);
  for (i = 0; i < kNodes; ++i) axl_node_destroy(mesh.nodes[i]);
  axl_outcome_free(mesh.outcome);
  mesh.outcome = NULL;
  axl_free(uri);
}

static void refusals(axl_node *node) {
  static axl_value many[257];
  axl_ask_options options;
  axl_take_part_options part;
  axl_value value;
  char name[66];
  int i;
  AXL_INIT(options);
  options.operation = (axl_operation)8;
  CHECK(axl_ask(node, "x", &options) == AXL_E_INVALID_ARGUMENT);
  options.operation = AXL_OP_TOP; /* and no limit */
  OK(axl_ask(node, "x", &options));
  CHECK(await(node, AXL_EVENT_OUTCOME)->status == AXL_E_INVALID_ARGUMENT);
  AXL_INIT(options);
  options.timeout_ms = 99;
  OK(axl_ask(node, "x", &options));
  CHECK(await(node, AXL_EVENT_OUTCOME)->status == AXL_E_INVALID_ARGUMENT);
  OK(axl_ask(node, "", NULL));
  CHECK(await(node, AXL_EVENT_OUTCOME)->outcome == NULL);
  options.struct_size = 3;
  CHECK(axl_ask(node, "x", &options) == AXL_E_INVALID_ARGUMENT);
  AXL_INIT(part);
  part.struct_size = 3;
  CHECK(axl_take_part(node, &part) == AXL_E_INVALID_ARGUMENT);

  value = number(NULL, HUGE_VAL);
  CHECK(axl_contribute(node, "x", &value, 1) == AXL_E_INVALID_ARGUMENT);
  CHECK(axl_contribute(node, "x", NULL, 1) == AXL_E_INVALID_ARGUMENT);
  CHECK(axl_contribute(node, "", &value, 0) == AXL_E_INVALID_ARGUMENT);
  CHECK(axl_contribute(node, "x", many, 257) == AXL_E_INVALID_ARGUMENT);
  memset(name, 'x', 65);
  name[65] = '\0';
  CHECK(axl_contribute(node, name, &value, 0) == AXL_E_INVALID_ARGUMENT);
  value = whole(name, 1);
  CHECK(axl_contribute(node, "x", &value, 1) == AXL_E_INVALID_ARGUMENT);
  value = whole(NULL, 1);
  for (i = 0; i < 256; ++i) {
    snprintf(name, sizeof name, "name %d", i);
    OK(axl_contribute(node, name, &value, 1));
  }
  CHECK(axl_contribute(node, "one more", &value, 1) == AXL_E_LIMIT_REACHED);
  OK(axl_contribute(node, "name 0", NULL, 0));
  OK(axl_contribute(node, "one more", &value, 1));
}

/* More outcomes than may wait, while nobody polls: the first event says how many have gone. */
static void told_to_nobody(axl_node *node) {
  enum { kTold = 70, kMost = 64 };
  axl_ask_options options;
  const axl_event *event;
  int i, told = 0;
  uint64_t missed = 0;
  AXL_INIT(options);
  options.tell_all = 1;
  for (i = 0; i < kTold; ++i) {
    char *json;
    OK(axl_ask(node, "one more", &options));
    OK(axl_topology(node, &json)); /* the loop has been there */
    axl_free(json);
  }
  for (i = 0; i < kTold || told < kMost;) {
    OK(axl_poll(node, -1, &event));
    if (event->kind == AXL_EVENT_TOLD) {
      CHECK(event->missed == (told == 0 ? kTold - kMost : 0));
      missed += event->missed;
      ++told;
    } else {
      CHECK(event->kind == AXL_EVENT_OUTCOME && axl_outcome_contributed(event->outcome) == 1);
      ++i;
    }
    axl_outcome_free(event->outcome);
  }
  CHECK(told == kMost && missed == kTold - kMost);
}

/* Nobody answers, and nobody takes what is told: both are bounded. */
static void bounds(axl_node *node) {
  enum { kAsked = 320, kAtOnce = 64, kMost = 256 };
  static axl_question *questions[kAsked];
  axl_take_part_options part;
  axl_ask_options options;
  const axl_event *event;
  int i, count = 0, outcomes = 0;
  AXL_INIT(part);
  part.questions = 1;
  OK(axl_take_part(node, &part));
  AXL_INIT(options);
  options.timeout_ms = 100;
  while (outcomes < kAsked) {
    for (i = 0; i < kAtOnce; ++i) OK(axl_ask(node, "open", &options));
    for (i = 0; i < kAtOnce;) {
      OK(axl_poll(node, -1, &event));
      if (event->kind == AXL_EVENT_QUESTION) questions[count++] = event->question;
      if (event->kind != AXL_EVENT_OUTCOME) continue;
      CHECK(event->status == AXL_OK && axl_outcome_missing(event->outcome) == 1);
      axl_outcome_free(event->outcome);
      ++i;
      ++outcomes;
    }
  }
  CHECK(count == kMost);
  for (i = 0; i < count; ++i) axl_question_free(questions[i]);

  part.questions = 0;
  part.told = 1;
  OK(axl_take_part(node, &part));
  told_to_nobody(node);
}

static void ends(axl_node *node) {
  axl_take_part_options part;
  axl_question *question;
  const axl_event *event;
  axl_value value = whole(NULL, 1);
  AXL_INIT(part);
  part.questions = 1;
  OK(axl_take_part(node, &part));
  OK(axl_ask(node, "the last", NULL));
  question = await(node, AXL_EVENT_QUESTION)->question;
  axl_node_stop(node);
  event = await(node, AXL_EVENT_OUTCOME);
  CHECK(event->status == AXL_E_CLOSED && event->outcome == NULL);
  CHECK(axl_ask(node, "x", NULL) == AXL_E_CLOSED && axl_merge_add(node, "x", NULL) == AXL_E_CLOSED);
  CHECK(axl_contribute(node, "x", &value, 1) != AXL_OK);
  axl_node_destroy(node);
  OK(axl_question_answer(question, &value, 1)); /* nobody hears it */
  axl_question_free(question);
}

int main(void) {
  axl_node *node;
  three_nodes(0);
  three_nodes(1);
  OK(axl_node_create(NULL, &node));
  OK(axl_contribute(node, "before the start", NULL, 0));
  OK(axl_node_start(node));
  refusals(node);
  bounds(node);
  ends(node);
  return 0;
}
