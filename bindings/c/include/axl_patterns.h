/* Publish/subscribe and aggregation. Included by axl.h, whose rules hold here: ownership, threads, events, options. */
#ifndef AXL_PATTERNS_H
#define AXL_PATTERNS_H

#include <axl.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- publish and subscribe: a message reaches every node that takes part in its topic ---------------------------- */

typedef struct axl_pubsub_options {
  size_t struct_size;
  const axl_key *peers; /* that take part, as far as it is known beforehand */
  size_t peer_count;
  int no_search;        /* only `peers`; else neighbours and nodes of the tree are tried too */
  int no_signatures;    /* nothing is signed or checked, and who published it is a claim; equal on all nodes */
  size_t max_body;      /* of a message; larger ones of peers are refused; 1 MiB */
  uint16_t port;        /* of the overlay, equal on all nodes; 7003 */
  int legacy;           /* programs of the older kind take part: their messages are taken out of the receive queue */
} axl_pubsub_options;

/* Takes part with these options. Without it the first axl_publish or axl_topic_join does, with all defaults.
 * AXL_E_ALREADY_EXISTS: this node has other ones, or the port is taken. `peers` are added to those that it has. */
AXL_C_API axl_status axl_pubsub_open(axl_node *node, const axl_pubsub_options *options);

typedef struct axl_publish_options {
  size_t struct_size;
  void *user;             /* comes back in AXL_EVENT_PUBLISHED */
  int no_event;           /* no AXL_EVENT_PUBLISHED */
  axl_release_fn release; /* as in axl_send_options */
  void *release_user;
} axl_publish_options;

/* Sends the bytes to whoever takes part in the topic (1 to 128 printable ASCII characters), whether we do or not, and
 * keeps them for some seconds for who comes late. AXL_EVENT_PUBLISHED: that is done; peers hand it on. Errors:
 * AXL_E_TOO_LARGE, AXL_E_WOULD_BLOCK when 64 MiB wait for the node's loop. */
AXL_C_API axl_status axl_publish(axl_node *node, const char *topic, const void *data, size_t size,
                                 const axl_publish_options *options);

typedef struct axl_topic_options {
  size_t struct_size;
  void *user;
  int judge;          /* AXL_EVENT_VERDICT_WANTED comes before a message is delivered and handed on */
  size_t max_waiting; /* messages that wait to be polled; 1024 */
} axl_topic_options;

/* What others publish in the topic: AXL_EVENT_TOPIC_MESSAGE. What this node publishes does not come back. */
AXL_C_API axl_status axl_topic_join(axl_node *node, const char *topic, const axl_topic_options *options,
                                    axl_topic **joined);
/* Leaves; no event names it any more. */
AXL_C_API void axl_topic_free(axl_topic *topic);

typedef enum axl_verdict {
  AXL_ACCEPT = 0,
  AXL_REJECT = 1, /* it is wrong: the peer that sent it loses its good name if this happens often */
  AXL_IGNORE = 2  /* it goes no further */
} axl_verdict;

/* Once, for the message of AXL_EVENT_VERDICT_WANTED; accepted ones come as AXL_EVENT_TOPIC_MESSAGE then. One that is
 * freed without a verdict, or has none within some seconds, is ignored. AXL_E_NOT_FOUND: it waits for none. */
AXL_C_API axl_status axl_message_judge(axl_message *message, axl_verdict verdict);

/* Of messages of topics axl_message_sender is who published it, as its signature proves: */
AXL_C_API int axl_message_proved(const axl_message *message); /* 0: it only says so. Others are proved by the session */
/* Whose signature was checked: another's, when that node has it from a peer that cannot sign. Zero: nobody's. */
AXL_C_API void axl_message_signer(const axl_message *message, axl_key *signer);
AXL_C_API void axl_message_relay(const axl_message *message, axl_key *relay); /* the peer that handed it on */
AXL_C_API unsigned axl_message_hops(const axl_message *message);

/* JSON: peers, topics with their mesh, and counters, as GET /pubsub of the local API. */
AXL_C_API axl_status axl_pubsub(axl_node *node, char **json);
/* Adds /pubsub and /aggregate to the local API (axl_serve_api); `legacy` as in the options of either.
 * AXL_E_ALREADY_EXISTS: they are there. */
AXL_C_API axl_status axl_serve_patterns(axl_node *node, int legacy);

/* ---- aggregation: one question to every node of the tree, one outcome of their values ---------------------------- */

typedef enum axl_operation {
  AXL_OP_DEFAULT = 0, /* AXL_OP_COUNT */
  AXL_OP_COUNT = 1,   /* how many nodes put something in */
  AXL_OP_SUM = 2,     /* exact; a whole number when it is one of 64 bits, else the nearest double */
  AXL_OP_MIN = 3,
  AXL_OP_MAX = 4,
  AXL_OP_MEAN = 5,
  AXL_OP_TOP = 6,     /* the `limit` highest values, and the nodes they are from */
  AXL_OP_CUSTOM = 7   /* bytes, merged two by two as every node knows it under the name of `merge` */
} axl_operation;

/* A whole number, or a double that is none. One that you give is in the member that is_real names, and finite; one that
 * you get has its nearest double in `real` in any case. */
typedef struct axl_number {
  int is_real;
  int64_t integer;
  double real;
} axl_number;

/* What a node says: at most one value in each group, at most 256 groups. */
typedef struct axl_value {
  const char *group; /* at most 64 bytes that may be shown; NULL: the group without a name */
  axl_number number;
  const void *data;  /* for AXL_OP_CUSTOM, in place of the number; at most 16 384 bytes */
  size_t size;
} axl_value;

typedef struct axl_take_part_options {
  size_t struct_size;
  void *user;
  int questions; /* what axl_contribute has no values for becomes AXL_EVENT_QUESTION; 0: this node abstains */
  int told;      /* outcomes that are told to all become AXL_EVENT_TOLD */
  int new_key;   /* no node ever ran with this key, so none has answered already: answers from the start; not needed for
                    a key that the node has made for itself. Of the first call only */
  int legacy;    /* programs of the older kind are heard: their messages are taken out of the receive queue. The same */
} axl_take_part_options;

/* Hands questions on, and answers them. The first axl_contribute, axl_merge_add and axl_ask do so too, with all
 * defaults; who does not is missing, with all nodes below it. Called again: the new options hold from now on. */
AXL_C_API axl_status axl_take_part(axl_node *node, const axl_take_part_options *options);
/* What this node says whenever it is asked for `name` (1 to 64 bytes that may be shown; 256 names at most), until that
 * is replaced. No values: nothing any more. A node abstains from operations that its values do not fit. */
AXL_C_API axl_status axl_contribute(axl_node *node, const char *name, const axl_value *values, size_t count);

/* Of AXL_EVENT_QUESTION. */
AXL_C_API const char *axl_question_name(const axl_question *question);
AXL_C_API axl_operation axl_question_operation(const axl_question *question);
AXL_C_API const char *axl_question_merge(const axl_question *question);
AXL_C_API uint32_t axl_question_timeout_ms(const axl_question *question); /* of the whole; less of it is left for us */
AXL_C_API int axl_question_tells_all(const axl_question *question);
/* Once; no values: this node abstains, and so it does with values that do not fit the operation. Too late, it is
 * missing. AXL_E_NOT_FOUND: it is answered already. */
AXL_C_API axl_status axl_question_answer(axl_question *question, const axl_value *values, size_t count);
/* Not answered: this node abstains. */
AXL_C_API void axl_question_free(axl_question *question);

typedef struct axl_ask_options {
  size_t struct_size;
  void *user;
  axl_operation operation;
  uint16_t limit;      /* of AXL_OP_TOP: 1 to 64 */
  const char *merge;   /* of AXL_OP_CUSTOM */
  uint32_t timeout_ms; /* 100 ms to a minute; nodes that have not been heard of then are missing; 10 s */
  int tell_all;        /* the outcome goes to every node that took part */
} axl_ask_options;

/* Asks every node of the tree, this one too: AXL_EVENT_OUTCOME. Its errors: AXL_E_INVALID_ARGUMENT,
 * AXL_E_LIMIT_REACHED (64 at once), AXL_E_BUSY, AXL_E_TIMED_OUT, AXL_E_NOT_SUPPORTED (a merge unknown to the root). */
AXL_C_API axl_status axl_ask(axl_node *node, const char *name, const axl_ask_options *options);

AXL_C_API const char *axl_outcome_name(const axl_outcome *outcome); /* of the question */
AXL_C_API axl_operation axl_outcome_operation(const axl_outcome *outcome);
/* 1: every node of the tree is in it. Otherwise it is right for the nodes that are, each of them once. */
AXL_C_API int axl_outcome_complete(const axl_outcome *outcome);
AXL_C_API uint64_t axl_outcome_contributed(const axl_outcome *outcome); /* nodes that put something in */
AXL_C_API uint64_t axl_outcome_abstained(const axl_outcome *outcome);   /* nodes that had nothing to say */
AXL_C_API uint64_t axl_outcome_missing(const axl_outcome *outcome);     /* nodes not heard of, each with all below it */
AXL_C_API int axl_outcome_settling(const axl_outcome *outcome);  /* 1: the tree has changed; nodes may have moved */
AXL_C_API int axl_outcome_truncated(const axl_outcome *outcome); /* 1: there were more groups; these are whole */
/* By number from 0, sorted; 0: there are no more. At most 32 of those that are missing. */
AXL_C_API int axl_outcome_missing_key(const axl_outcome *outcome, size_t index, axl_key *key);

typedef struct axl_ranked {
  axl_number value;
  axl_key node;
} axl_ranked;

/* What came of one group. Valid until the outcome is freed. */
typedef struct axl_aggregate {
  size_t struct_size;
  const char *group;
  uint64_t count;        /* nodes that put something in */
  axl_number value;      /* of AXL_OP_COUNT, _SUM, _MIN, _MAX and _MEAN */
  const axl_ranked *top; /* of AXL_OP_TOP, highest first; of equal values the lower key first */
  size_t top_count;
  const void *data;      /* of AXL_OP_CUSTOM */
  size_t size;
} axl_aggregate;

/* By number from 0, sorted by name; AXL_E_NOT_FOUND past the last. Fills in as much as aggregate->struct_size has room
 * for. */
AXL_C_API axl_status axl_outcome_group(const axl_outcome *outcome, size_t index, axl_aggregate *aggregate);
AXL_C_API void axl_outcome_free(axl_outcome *outcome);

/* This node knows the custom operation `name`: two values that are to become one are AXL_EVENT_MERGE_WANTED. It has to
 * be associative, and commutative for outcomes that do not depend on the tree; values are those of peers: check them.
 * AXL_E_ALREADY_EXISTS: there is one of that name. */
AXL_C_API axl_status axl_merge_add(axl_node *node, const char *name, void *user);
AXL_C_API const char *axl_merge_name(const axl_merge *merge);
AXL_C_API const void *axl_merge_first(const axl_merge *merge, size_t *size);
AXL_C_API const void *axl_merge_second(const axl_merge *merge, size_t *size);
/* Once: at most 16 384 bytes. Without an answer in time the nodes behind the second value are missing in the outcome.
 * AXL_E_NOT_FOUND: it is answered already. */
AXL_C_API axl_status axl_merge_answer(axl_merge *merge, const void *data, size_t size);
/* Not answered: the values are not what they should be, and the nodes behind the second one are missing. */
AXL_C_API void axl_merge_free(axl_merge *merge);

#ifdef __cplusplus
}
#endif

#endif
