/* Services: what peers reach here by name. Included by axl.h, whose rules hold here: ownership, threads, events,
 * options. */
#ifndef AXL_SERVICES_H
#define AXL_SERVICES_H

#include <axl.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- services: what peers reach here by name, /mcp/{our key}/{name} ---------------------------------------------- */

typedef struct axl_header {
  const char *name;
  const char *value;
} axl_header;

typedef struct axl_service_options {
  size_t struct_size;
  void *user;                  /* comes with AXL_EVENT_REQUEST */
  int restricted;              /* only the keys of `allow` may use it; 0: everyone */
  const axl_key *allow;
  size_t allow_count;
  size_t max_waiting;          /* requests that wait to be polled; 256 */
  const char *probe_path;      /* of a URL: asked now and then whether it is there; NULL: never */
  uint32_t probe_interval_ms;  /* 30 s */
  const axl_header *environment; /* of a command, besides PATH, HOME and LANG */
  size_t environment_count;
  const char *directory;       /* where a command runs */
  size_t max_processes;
  uint32_t idle_ms;
} axl_service_options;

/* Requests become events, each to be answered. Adding a name again replaces its service. */
AXL_C_API axl_status axl_service_add(axl_node *node, const char *name, const axl_service_options *options);
/* An HTTP server, such as http://127.0.0.1:8000/mcp. */
AXL_C_API axl_status axl_service_add_url(axl_node *node, const char *name, const char *url,
                                         const axl_service_options *options);
/* A program that speaks MCP over its standard input and output; `command`: program and arguments, then NULL. */
AXL_C_API axl_status axl_service_add_command(axl_node *node, const char *name, const char *const *command,
                                             const axl_service_options *options);
/* Requests under way go on to their end. */
AXL_C_API axl_status axl_service_remove(axl_node *node, const char *name);
/* A JSON array. */
AXL_C_API axl_status axl_services(axl_node *node, char **json);

AXL_C_API void axl_request_caller(const axl_request *request, axl_key *caller); /* proved; our own for a local caller */
AXL_C_API const char *axl_request_service(const axl_request *request);
AXL_C_API const char *axl_request_method(const axl_request *request);
AXL_C_API const char *axl_request_path(const axl_request *request);  /* what follows the service's name */
AXL_C_API const char *axl_request_query(const axl_request *request); /* without the `?` */
/* The first value under that name, in any case; NULL: there is none. */
AXL_C_API const char *axl_request_header(const axl_request *request, const char *name);
/* By number from 0; 0: there are no more. */
AXL_C_API int axl_request_header_at(const axl_request *request, size_t index, axl_header *header);
AXL_C_API const void *axl_request_body(const axl_request *request, size_t *size);

/* The whole answer. AXL_E_CLOSED when the caller has gone, or the request is answered. */
AXL_C_API axl_status axl_request_respond(axl_request *request, int status, const axl_header *headers,
                                         size_t header_count, const void *body, size_t size);
/* 200, application/json. */
AXL_C_API axl_status axl_request_respond_json(axl_request *request, const char *json);
/* An answer in pieces, each sent at once. */
AXL_C_API axl_status axl_request_start(axl_request *request, int status, const axl_header *headers,
                                       size_t header_count);
AXL_C_API axl_status axl_request_write(axl_request *request, const void *data, size_t size);
AXL_C_API axl_status axl_request_finish(axl_request *request);
AXL_C_API void axl_request_abort(axl_request *request);
/* Bytes written that wait here because the caller reads slowly. */
AXL_C_API size_t axl_request_pending(const axl_request *request);
AXL_C_API int axl_request_connected(const axl_request *request); /* 1: the caller still listens */
AXL_C_API void axl_request_set_user(axl_request *request, void *user);
AXL_C_API void *axl_request_user(const axl_request *request);
/* Not answered: 500; begun and not finished: the caller sees a broken answer. No event names it any more. */
AXL_C_API void axl_request_free(axl_request *request);

#ifdef __cplusplus
}
#endif

#endif
