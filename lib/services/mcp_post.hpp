// One HTTP request to a service, its answer folded to what a caller without streams can use.
//
// A JSON answer is handed over whole. Of an event stream every message is shown as it comes; the response with the
// awaited id ends the request, and its connection is given up.
//
// Source: bridge, sections 5 and 8.4 (our role: responder). MCP, Streamable HTTP. Lives on the loop.
#pragma once

#include <axl/mcp.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/sse.hpp"
#include "http/upstream.hpp"
#include "services/service_table.hpp"

namespace axl::services {

class McpPost final : private http::ResponseEvents {
 public:
  struct Request {
    std::shared_ptr<const Service> service;
    PublicKey caller;
    std::string_view method = "POST";
    http::Headers headers = {};  ///< besides Host, content type, Accept and the caller's identity
    Bytes body = {};
    std::string awaited = {};  ///< the id, as JSON, of the response that a stream is read for; empty: all of them
    std::size_t max_bytes = 16UL * 1024 * 1024;  ///< of a body, and of one event
  };
  struct Answer {
    int status = 0;
    std::optional<std::string> session_id;  ///< Mcp-Session-Id
    bool json = false;                      ///< `body` is JSON by its type
    Bytes body;                             ///< of a stream: the response, or an array of them for a batch
  };
  /// Called once, never inside the constructor. May destroy the request.
  using DoneHandler = std::function<void(Result<Answer> answer)>;
  /// What a stream brings besides the response: notifications, and requests to us. Must not destroy the request.
  using MessageHandler = std::function<void(std::string_view message, const mcp::JsonRpc& head)>;

  /// Errors: the dialler's; closed when the stream ends without the response; too_large.
  McpPost(Request request, DoneHandler done, MessageHandler message = {});
  McpPost(const McpPost&) = delete;
  McpPost& operator=(const McpPost&) = delete;
  ~McpPost();  ///< cuts the request

 private:
  void acquire(bool fresh);
  void send(std::unique_ptr<http::Lease> lease);
  void on_response(const http::ResponseHead& head) override;
  void on_body(Buffer piece) override;
  void on_complete() override;
  void on_failed(const Error& error, http::Delivery delivery) override;
  [[nodiscard]] bool on_message(std::string_view message);
  void finish(Result<Answer> answer);

  Request request_;
  DoneHandler done_;
  MessageHandler message_;
  std::unique_ptr<http::Upstream::Waiting> waiting_;
  std::unique_ptr<http::Lease> lease_;
  std::optional<http::SseReader> events_;  // the answer is a stream
  Answer answer_;
  std::string responses_;  // of a batch, joined by commas
};

}  // namespace axl::services
