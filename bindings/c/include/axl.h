/* axl in C: a node on the mesh, messages and sessions. Services are in axl_services.h, publish/subscribe and
 * aggregation in axl_patterns.h; this header includes both. Plain C99; compiles as C++ too.
 *
 * OWNERSHIP
 *   - Handles (axl_node, axl_session and the other opaque types) are yours from the call or event that brings them
 *     until you hand them to their _free or _destroy. Do that once, as the last use of the handle, in any order: a handle
 *     may outlive its node, which then answers AXL_E_CLOSED.
 *   - NULL for a handle is always allowed: to free it does nothing, calls fail with AXL_E_INVALID_ARGUMENT (or do
 *     nothing), and accessors answer 0, an empty text, a zero key, no bytes.
 *   - A `char **` result is yours: give it back with axl_free.
 *   - What you pass in is copied, but for buffers with a release function (axl_send_options): these are lent until that
 *     function is called. It is called exactly once if the call returned AXL_OK, and never otherwise.
 *   - An axl_event and its texts are valid until the next axl_poll of that node. Pointers that accessors return (bytes
 *     of a message, headers of a request) are valid until their handle is freed.
 *
 * THREADS AND EVENTS
 *   - Every function may be called from any thread, at the same time as any other, but for the last use of a handle,
 *     and axl_poll: one thread at a time polls a node (AXL_E_BUSY for a second).
 *   - Nothing calls you from a foreign thread. Log hooks and release functions run inside axl_poll and axl_node_destroy
 *     (release functions also inside the _free of the message that holds the buffer last); they may call anything but
 *     these two. Everything else is an event, which waits until axl_poll takes it.
 *   - Waiting events are bounded, and nothing that was accepted is lost but what is said to go:
 *       bytes and messages of a session   1 MiB or one message; then the session is paused, and the peer slowed down
 *       messages of a subscription        256; the others stay in the node's queue, which refuses senders when full
 *       messages of a topic               `max_waiting` of it and 64 MiB; the oldest go, and the next says how many
 *       verdicts that are wanted          1024 and 64 MiB of a topic; more messages are ignored
 *       questions                         256, those that are not answered yet included; of more this node is missing
 *       outcomes told to all              64; the oldest go, and the next one says how many
 *       accepted sessions                 `backlog` of the listener; more are aborted
 *       requests of a service             `max_waiting` of the service, and 64 MiB of bodies; more are answered 503
 *       results (sent, pong, outcome ..)  one for each call; calls fail with AXL_E_WOULD_BLOCK over `max_operations`
 *       notices (peer up, peer down, ..)  1024; the oldest go, and the next notice says how many in `missed`
 *       log lines                         1024; the oldest go, and one line says how many
 *
 * ERRORS
 *   Functions that can fail return an axl_status. Of the last one that failed in this thread axl_last_error has a text.
 *   Events that say what became of something carry a status and a text of their own.
 *
 * OPTIONS
 *   Options begin with `struct_size`; AXL_INIT(options) fills it in and makes the rest zero, and zero always means the
 *   default. NULL instead of options means all defaults. So programs go on working when structures grow.
 */
#ifndef AXL_H
#define AXL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(_WIN32)
#define AXL_C_API
#else
#define AXL_C_API __attribute__((visibility("default")))
#endif

/* Makes any structure with a struct_size ready for use: all defaults. */
#define AXL_INIT(structure) \
  (memset(&(structure), 0, sizeof(structure)), (void)((structure).struct_size = sizeof(structure)))

#ifdef __cplusplus
extern "C" {
#endif

typedef struct axl_node axl_node;
typedef struct axl_session axl_session;
typedef struct axl_message axl_message;
typedef struct axl_request axl_request;
typedef struct axl_subscription axl_subscription;
typedef struct axl_topic axl_topic;
typedef struct axl_question axl_question;
typedef struct axl_outcome axl_outcome;
typedef struct axl_merge axl_merge;

/* ---- status ---------------------------------------------------------------------------------------------------- */

/* The numbers of axl::Errc: new ones are added, none is renumbered. */
typedef enum axl_status {
  AXL_OK = 0,
  AXL_E_INVALID_ARGUMENT = 1,   /* the caller's input makes no sense */
  AXL_E_MALFORMED = 2,          /* bytes from elsewhere that no rule of the protocol allows */
  AXL_E_TOO_LARGE = 3,          /* more bytes than the limit named in the text */
  AXL_E_CLOSED = 4,             /* the session, request or node is closed */
  AXL_E_REFUSED = 5,            /* the peer, or a rule of ours, said no */
  AXL_E_TIMED_OUT = 6,          /* nothing came within the time allowed */
  AXL_E_WOULD_BLOCK = 7,        /* no room now; a later event says when to try again */
  AXL_E_NOT_SUPPORTED = 8,      /* known, but not built here */
  AXL_E_ALREADY_EXISTS = 9,     /* there is one already */
  AXL_E_NOT_FOUND = 10,         /* no such thing */
  AXL_E_LIMIT_REACHED = 11,     /* a bound on number or bytes is reached, memory included */
  AXL_E_PERMISSION_DENIED = 12, /* the operating system or an allow list forbids it */
  AXL_E_KEY_MISMATCH = 13,      /* another key answered than the one asked for */
  AXL_E_UNREACHABLE = 14,       /* no way to the peer */
  AXL_E_IO = 15,                /* the operating system reports a failure */
  AXL_E_CRYPTO = 16,            /* a signature, tag or key does not hold */
  AXL_E_BUSY = 17,              /* the peer, or the handle, cannot take it now */
  AXL_E_DELIVERY_UNKNOWN = 18,  /* sent, and no receipt came: it may or may not have arrived */
  AXL_E_INTERNAL = 19,          /* one of our own invariants failed */
  AXL_E_CANCELLED = 20,         /* whoever asked for it has taken that back */
  AXL_E_ENDED = 21              /* there is no more: the peer has finished */
} axl_status;

/* The meaning of a status in a few words; never NULL. */
AXL_C_API const char *axl_status_text(axl_status status);
/* What went wrong in the call that failed last in this thread; valid until the next one fails there. Never NULL. */
AXL_C_API const char *axl_last_error(void);
/* Such as "0.1.0". */
AXL_C_API const char *axl_version(void);
/* Gives back a text that a `char **` result brought. */
AXL_C_API void axl_free(void *text);

/* ---- keys ------------------------------------------------------------------------------------------------------ */

#define AXL_SEED_SIZE 32
#define AXL_KEY_HEX_SIZE 65     /* 64 digits and the final zero */
#define AXL_ADDRESS_TEXT_SIZE 40

/* A public key: the name of a node on the mesh. */
typedef struct axl_key {
  uint8_t bytes[32];
} axl_key;

/* A private key is its seed, 32 bytes. Wipe it after use. */
AXL_C_API axl_status axl_key_generate(uint8_t seed[AXL_SEED_SIZE]);
/* PEM: an unencrypted PKCS#8 Ed25519 key, as `openssl genpkey -algorithm ed25519` writes it. */
AXL_C_API axl_status axl_key_from_pem(const char *pem, uint8_t seed[AXL_SEED_SIZE]);
AXL_C_API axl_status axl_key_to_pem(const uint8_t seed[AXL_SEED_SIZE], char **pem);
/* Reads a PEM file; one that others than its owner may read is refused, AXL_E_PERMISSION_DENIED. With `create`, one that is
   not there is made with a fresh key, for this user only. */
AXL_C_API axl_status axl_key_load(const char *path, int create, uint8_t seed[AXL_SEED_SIZE]);
AXL_C_API axl_status axl_key_public(const uint8_t seed[AXL_SEED_SIZE], axl_key *key);
/* Exactly 64 hexadecimal digits of either case. */
AXL_C_API axl_status axl_key_from_hex(const char *digits, axl_key *key);
AXL_C_API void axl_key_to_hex(const axl_key *key, char text[AXL_KEY_HEX_SIZE]);
/* The overlay address, such as 201:fac3:d5c6:126c:7ac8:51c9:ed9c:b95f. */
AXL_C_API void axl_key_address(const axl_key *key, char text[AXL_ADDRESS_TEXT_SIZE]);

/* ---- a node ---------------------------------------------------------------------------------------------------- */

typedef enum axl_log_level {
  AXL_LOG_DEFAULT = 0, /* AXL_LOG_INFO */
  AXL_LOG_DEBUG = 1,
  AXL_LOG_INFO = 2,
  AXL_LOG_WARNING = 3,
  AXL_LOG_ERROR = 4,
  AXL_LOG_OFF = 5
} axl_log_level;

/* One line, without anything that could steer a terminal, secrets or payloads. Called inside axl_poll. */
typedef void (*axl_log_fn)(void *user, axl_log_level level, const char *area, const char *text);

/* Whether TLS of bulk runs on a thread of its own beside the node's loop. */
typedef enum axl_bulk_thread {
  AXL_BULK_THREAD_AUTOMATIC = 0, /* as long as the loop is busy and a core has time to spare; never with no_thread */
  AXL_BULK_THREAD_NEVER = 1,
  AXL_BULK_THREAD_ALWAYS = 2
} axl_bulk_thread;

/* All lists: `count` entries, or NULL and 0. All times: 0 for the default. */
typedef struct axl_node_options {
  size_t struct_size;
  const uint8_t *seed;                   /* AXL_SEED_SIZE bytes; NULL: a fresh identity */
  int no_thread;                         /* the node has no thread: it is turned inside axl_poll */
  const char *const *peers;              /* tcp://host:port or tls://host:port, to be dialled */
  size_t peer_count;
  const char *const *listen;             /* the same, to be listened on; port 0 means any */
  size_t listen_count;
  const axl_key *allowed_public_keys;    /* who may link to our listeners; none: everyone */
  size_t allowed_public_key_count;
  const axl_key *allow_peers;            /* who may send us messages and requests; none: everyone */
  size_t allow_peer_count;
  const axl_key *deny;                   /* who may not, whatever else allows them */
  size_t deny_count;
  const char *node_info;                 /* a JSON object, told to whoever asks */
  int node_info_privacy;                 /* leave out name and version of this build */
  uint16_t tcp_port;                     /* overlay port of length-prefixed frames; 7000 */
  uint16_t http_port;                    /* overlay port of HTTP between nodes; 7001 */
  int refuse_messages;                   /* take no messages and requests of peers */
  size_t mtu;
  size_t max_links;
  size_t max_handshakes;
  size_t max_handshakes_per_address;
  size_t max_message_size;               /* 16 MiB */
  size_t max_concurrent_conns;
  uint32_t conn_read_timeout_ms;
  uint32_t conn_idle_timeout_ms;
  uint32_t dial_timeout_ms;              /* 30 s */
  uint32_t send_timeout_ms;              /* 30 s */
  size_t recv_queue_messages;            /* 10 000 */
  size_t recv_queue_bytes;               /* 256 MiB */
  size_t outbox_messages;
  size_t outbox_bytes;
  const char *const *api_allowed_hosts;
  size_t api_allowed_host_count;
  const char *const *api_allowed_origins;
  size_t api_allowed_origin_count;
  const char *api_token;                 /* what X-Axl-Token of each request to the local API must be */
  int legacy_peer_id;
  int deny_services;                     /* services without an allow list are closed */
  int allow_remote_endpoints;            /* what registers over HTTP may be on other machines */
  uint32_t service_timeout_ms;
  const char *router_addr;               /* http://host of a router process, at router_port */
  uint16_t router_port;
  const char *a2a_addr;                  /* http://host of an A2A agent, at a2a_port */
  uint16_t a2a_port;
  int a2a_skills;                        /* the node's own agent, which offers the services as skills */
  int a2a_stream_downgrade;
  size_t max_operations;                 /* sends, pings .. whose event has not been taken; 16 384 */
  axl_log_fn log;                        /* as axl_node_set_log, from the beginning */
  void *log_user;
  axl_log_level log_level;               /* below this nothing is ever logged */
  axl_bulk_thread bulk_thread;
} axl_node_options;

/* Binds what `listen` names; talks to nobody yet. AXL_E_ALREADY_EXISTS when a node with this key runs in this process.
 * A `listen` or `peers` entry that cannot be used is a line in the log. */
AXL_C_API axl_status axl_node_create(const axl_node_options *options, axl_node **node);
AXL_C_API axl_status axl_node_start(axl_node *node);
/* Ends every connection, at once. Whatever was under way ends with an event that says AXL_E_CLOSED. Events that wait
 * can still be polled; then axl_poll answers AXL_E_CLOSED. May be called while other threads use the node. */
AXL_C_API void axl_node_stop(axl_node *node);
/* Stops, calls the log hook and the release functions that are due, and frees the node. */
AXL_C_API void axl_node_destroy(axl_node *node);

/* Takes no new connection, request or message; AXL_EVENT_DRAINED when those under way have ended. */
AXL_C_API axl_status axl_node_drain(axl_node *node, void *user);
AXL_C_API void axl_node_key(const axl_node *node, axl_key *key);
AXL_C_API void axl_node_set_user(axl_node *node, void *user);
AXL_C_API void *axl_node_user(const axl_node *node);
/* NULL: no hook. Once this returns, the one before is not called any more. Lines below `level` are left out. */
AXL_C_API void axl_node_set_log(axl_node *node, axl_log_fn hook, void *user, axl_log_level level);

/* ---- events ---------------------------------------------------------------------------------------------------- */

typedef enum axl_event_kind {
  AXL_EVENT_PEER_UP = 1,           /* notice: key, uri; a link to a neighbour is up */
  AXL_EVENT_PEER_DOWN = 2,         /* notice: key, uri, text says why */
  AXL_EVENT_E2E_UP = 3,            /* notice: key; an encrypted end-to-end session with it is open */
  AXL_EVENT_SENT = 4,              /* status, text, id, delivery, user of the send */
  AXL_EVENT_MESSAGE = 5,           /* message (yours), subscription, its user */
  AXL_EVENT_PONG = 6,              /* status, text, round_trip_ns, key, user of the ping */
  AXL_EVENT_DRAINED = 7,           /* status, user of axl_node_drain */
  AXL_EVENT_SESSION_OPEN = 8,      /* session, its user: axl_connect has succeeded */
  AXL_EVENT_SESSION_ACCEPTED = 9,  /* session (yours), port, key of the peer; user of the listener */
  AXL_EVENT_SESSION_DATA = 10,     /* session, message (yours): bytes as they came */
  AXL_EVENT_SESSION_MESSAGE = 11,  /* session, message (yours): one message */
  AXL_EVENT_SESSION_WRITABLE = 12, /* session: no longer congested */
  AXL_EVENT_SESSION_DRAINED = 13,  /* session: the peer's TCP has all that was written */
  AXL_EVENT_SESSION_END = 14,      /* session: the peer has finished sending; our direction is still open */
  AXL_EVENT_SESSION_CLOSED = 15,   /* session: the last event; AXL_OK after an orderly end, else status and text */
  AXL_EVENT_REQUEST = 16,          /* request (yours), user of the service */
  AXL_EVENT_REQUEST_WRITABLE = 17, /* request: all that was written is on its way */
  AXL_EVENT_REQUEST_CANCELLED = 18, /* request: the caller has gone before the answer was finished */
  AXL_EVENT_PUBLISHED = 19,        /* status, text, id, peers, user of the axl_publish */
  AXL_EVENT_TOPIC_MESSAGE = 20,    /* message (yours), topic, its user, missed */
  AXL_EVENT_VERDICT_WANTED = 21,   /* message (yours), topic, its user: for axl_message_judge */
  AXL_EVENT_OUTCOME = 22,          /* status, text, outcome (yours; NULL unless AXL_OK), user of the axl_ask */
  AXL_EVENT_QUESTION = 23,         /* question (yours), user of the node's axl_take_part */
  AXL_EVENT_TOLD = 24,             /* outcome (yours), missed, the same user */
  AXL_EVENT_MERGE_WANTED = 25      /* merge (yours), user of the axl_merge_add */
} axl_event_kind;

typedef enum axl_delivery {
  AXL_DELIVERY_QUEUED = 0,     /* the receiver has it in its queue */
  AXL_DELIVERY_ACCEPTED = 1,   /* the peer's TCP has all of it; an old peer tells no more */
  AXL_DELIVERY_HANDED_OVER = 2 /* on its way, nothing asked */
} axl_delivery;

/* Members that the kind does not name are zero; texts are never NULL. struct_size is that of the library. */
typedef struct axl_event {
  size_t struct_size;
  axl_event_kind kind;
  axl_status status;
  void *user;
  const char *text;
  axl_session *session;
  axl_message *message;
  axl_request *request;
  axl_subscription *subscription;
  axl_key key;
  const char *uri;
  const char *id;
  axl_delivery delivery;
  uint16_t port;
  uint64_t round_trip_ns;
  uint64_t missed; /* of this kind, had no room since the last one */
  axl_topic *topic;
  axl_question *question;
  axl_outcome *outcome;
  axl_merge *merge;
  size_t peers; /* that a published message went to at once */
} axl_event;

/* The next event, waiting for it up to `timeout_ms` (0: not at all, negative: without end). AXL_E_TIMED_OUT when there
 * is none, AXL_E_CLOSED when none can come any more; *event is NULL then. A node without thread is turned here (and by
 * calls that need an answer of its loop): when no event waits, and at least once a millisecond of polling. */
AXL_C_API axl_status axl_poll(axl_node *node, int timeout_ms, const axl_event **event);
/* Lets the axl_poll that waits, or else the next one that would, return AXL_E_TIMED_OUT at once. */
AXL_C_API void axl_wake(axl_node *node);
/* A descriptor that is readable while axl_poll has something to do; watch it, never read or close it. It stays valid
 * until axl_node_destroy. AXL_E_NOT_SUPPORTED for a node without thread. */
AXL_C_API axl_status axl_node_fd(axl_node *node, int *fd);

/* ---- peers, listeners, views ----------------------------------------------------------------------------------- */

/* A peer to dial, and to dial again whenever its link ends; AXL_E_ALREADY_EXISTS makes a waiting one dial at once. */
AXL_C_API axl_status axl_peer_add(axl_node *node, const char *uri);
AXL_C_API axl_status axl_peer_remove(axl_node *node, const char *uri);
/* One more listener for links; `bound` (may be NULL) is the URI that is really bound. */
AXL_C_API axl_status axl_listener_add(axl_node *node, const char *uri, char **bound);
/* The URI of a listener, from 0; AXL_E_NOT_FOUND past the last. */
AXL_C_API axl_status axl_listener(axl_node *node, size_t index, char **uri);

/* Measures a round trip to a key: AXL_EVENT_PONG. */
AXL_C_API axl_status axl_ping(axl_node *node, const axl_key *key, uint32_t timeout_ms, void *user);

/* JSON texts, with the names of the local API. Peers: an array, as `peers` of the topology. */
AXL_C_API axl_status axl_peers(axl_node *node, char **json);
AXL_C_API axl_status axl_topology(axl_node *node, char **json);
/* An array, sorted by key: those after `after` (may be NULL), at most `limit`. */
AXL_C_API axl_status axl_known_nodes(axl_node *node, const axl_key *after, size_t limit, char **json);
AXL_C_API axl_status axl_known_node(axl_node *node, const axl_key *key, char **json);
/* Everything that the node counts, in Prometheus' text format. */
AXL_C_API axl_status axl_statistics_text(axl_node *node, char **text);

typedef struct axl_statistics {
  size_t struct_size;
  uint64_t uptime_ns;
  uint64_t links_up;          /* of both directions */
  uint64_t link_rx_bytes;
  uint64_t link_tx_bytes;
  uint64_t tree_nodes;
  uint64_t e2e_sessions;
  uint64_t e2e_rx_bytes;
  uint64_t e2e_tx_bytes;
  uint64_t tcp_connections;   /* on the overlay */
  uint64_t queue_messages;    /* not yet handed out or confirmed */
  uint64_t queue_bytes;
  uint64_t queue_leased;      /* of the messages: taken by a reader, among them the subscriptions' */
  uint64_t queue_accepted;
  uint64_t queue_refused;
  uint64_t queue_duplicates;
  uint64_t messages_sending;
  uint64_t outbox_messages;
  uint64_t outbox_bytes;
} axl_statistics;

/* Fills in as much as statistics->struct_size has room for. */
AXL_C_API axl_status axl_statistics_get(axl_node *node, axl_statistics *statistics);

/* The local HTTP API, on a literal IP address (beyond loopback only with api_token) or on `unix:/path`. Port 0 means
 * any; `bound` (may be NULL) is the port. */
AXL_C_API axl_status axl_serve_api(axl_node *node, const char *host, uint16_t port, uint16_t *bound);
/* The router's HTTP API, where services register, on a literal loopback address. */
AXL_C_API axl_status axl_serve_router(axl_node *node, const char *host, uint16_t port, uint16_t *bound);

/* ---- messages -------------------------------------------------------------------------------------------------- */

/* Called once when the library needs a buffer no longer; see OWNERSHIP and THREADS for when and where. */
typedef void (*axl_release_fn)(void *user, const void *data, size_t size);

typedef struct axl_send_options {
  size_t struct_size;
  void *user;             /* comes back in AXL_EVENT_SENT */
  const char *id;         /* names the message, so that sending it again is safe; NULL: one is made */
  const char *topic;      /* NULL: none */
  int no_receipt;         /* done once the message is handed over */
  int no_event;           /* no AXL_EVENT_SENT */
  uint64_t retry_ms;      /* while the peer is away keep trying for so long, at most a day */
  axl_release_fn release; /* not NULL: the bytes are lent, not copied, and must not change until it is called */
  void *release_user;
} axl_send_options;

/* Sends a message to the receive queue of a node: AXL_EVENT_SENT says what became of it. */
AXL_C_API axl_status axl_send(axl_node *node, const axl_key *to, const void *data, size_t size,
                              const axl_send_options *options);

typedef struct axl_subscribe_options {
  size_t struct_size;
  void *user;
  const char *topic;     /* NULL: messages without a topic */
  const axl_key *sender; /* NULL: of anybody */
  int confirm;           /* a message stays in the node's queue until axl_message_confirm */
} axl_subscribe_options;

/* Messages of one topic become events. A message leaves the node's queue when axl_poll hands it out (or when it is
 * confirmed); until then it counts as leased there, and goes back to its place when the subscription is freed. */
AXL_C_API axl_status axl_subscribe(axl_node *node, const axl_subscribe_options *options,
                                   axl_subscription **subscription);
AXL_C_API void axl_subscription_free(axl_subscription *subscription);

/* The bytes, without copying them; *size may not be NULL. An empty message has any pointer. */
AXL_C_API const void *axl_message_data(const axl_message *message, size_t *size);
/* Of messages that a subscription or topic has brought; empty texts and a zero key for those of sessions. */
AXL_C_API const char *axl_message_id(const axl_message *message);
AXL_C_API const char *axl_message_topic(const axl_message *message);
AXL_C_API void axl_message_sender(const axl_message *message, axl_key *sender);
/* With `confirm`: the message has been dealt with. AXL_E_NOT_FOUND: it is confirmed already, or needs none. */
AXL_C_API axl_status axl_message_confirm(axl_message *message);
/* With `confirm`, and not confirmed: the message goes back to its place in the queue. */
AXL_C_API void axl_message_free(axl_message *message);

/* ---- sessions: a conversation with one peer, encrypted end to end ------------------------------------------------ */

typedef enum axl_session_mode {
  AXL_SESSION_BYTES = 0,   /* what comes is AXL_EVENT_SESSION_DATA */
  AXL_SESSION_MESSAGES = 1 /* what comes is AXL_EVENT_SESSION_MESSAGE: 4 length bytes, big-endian, and a body each */
} axl_session_mode;

typedef struct axl_session_options {
  size_t struct_size;
  void *user;
  axl_session_mode mode;
  size_t max_message_size; /* a longer one ends the session; 16 MiB */
  size_t backlog;          /* axl_listen: accepted sessions that wait to be polled; 128 */
} axl_session_options;

/* The session is there at once, and open with AXL_EVENT_SESSION_OPEN; if that fails, AXL_EVENT_SESSION_CLOSED tells. */
AXL_C_API axl_status axl_connect(axl_node *node, const axl_key *to, uint16_t port, const axl_session_options *options,
                                 axl_session **session);
/* Takes sessions on an overlay port: AXL_EVENT_SESSION_ACCEPTED. 7000 and 7001 are the node's own. */
AXL_C_API axl_status axl_listen(axl_node *node, uint16_t port, const axl_session_options *options);
AXL_C_API axl_status axl_stop_listening(axl_node *node, uint16_t port);

/* Queue bytes, or a message. AXL_E_WOULD_BLOCK when 64 MiB wait already, AXL_E_CLOSED before the session is open and
 * after its end. The `_lent` forms do not copy: see OWNERSHIP. */
AXL_C_API axl_status axl_session_write(axl_session *session, const void *data, size_t size);
AXL_C_API axl_status axl_session_write_lent(axl_session *session, const void *data, size_t size, axl_release_fn release,
                                            void *release_user);
AXL_C_API axl_status axl_session_send(axl_session *session, const void *data, size_t size);
AXL_C_API axl_status axl_session_send_lent(axl_session *session, const void *data, size_t size, axl_release_fn release,
                                           void *release_user);
/* Bytes queued that the peer's TCP has not acknowledged. */
AXL_C_API size_t axl_session_pending(axl_session *session);
/* 1 while a fair writer would wait for AXL_EVENT_SESSION_WRITABLE. */
AXL_C_API int axl_session_congested(axl_session *session);
/* Take nothing more from the peer; what waits as events already is still handed out. */
AXL_C_API void axl_session_pause(axl_session *session);
AXL_C_API void axl_session_resume(axl_session *session);
AXL_C_API void axl_session_finish(axl_session *session); /* end our direction after what is queued; receiving goes on */
AXL_C_API void axl_session_close(axl_session *session);  /* send what is queued, then end both directions */
AXL_C_API void axl_session_abort(axl_session *session);  /* drop what is queued and end at once */
/* Closes; no event names this session any more. */
AXL_C_API void axl_session_free(axl_session *session);
AXL_C_API void axl_session_peer(const axl_session *session, axl_key *key);
AXL_C_API uint16_t axl_session_local_port(const axl_session *session);
AXL_C_API uint16_t axl_session_remote_port(const axl_session *session);
AXL_C_API void axl_session_set_user(axl_session *session, void *user);
AXL_C_API void *axl_session_user(const axl_session *session);

#ifdef __cplusplus
}
#endif

#include <axl_patterns.h>
#include <axl_services.h>

#endif
