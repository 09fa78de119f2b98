// One client of the built-in agent that waits for a task: for its end, or for every event as a stream.
//
// Source: bridge, section 6; A2A 1.0 and 0.3, streaming. Lives on the loop.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "a2a/agent_rpc.hpp"
#include "a2a/agent_task.hpp"
#include "http/exchange.hpp"

namespace axl::services {

/// The head of an event stream that nobody on the way shall hold back.
void start_event_stream(http::Exchange& exchange);
void respond_json(http::Exchange& exchange, std::string_view json);

class A2aListener final : private http::ExchangeEvents {
 public:
  /// Called when the client has gone. May destroy the listener.
  using GoneHandler = std::function<void(A2aListener& listener)>;

  /// `call`: what the client asked for; its parameters are not used.
  A2aListener(http::Exchange exchange, const a2a::RpcCall& call, a2a::TaskView view, GoneHandler gone);
  A2aListener(const A2aListener&) = delete;
  A2aListener& operator=(const A2aListener&) = delete;
  ~A2aListener() = default;

  void on_task(const a2a::Task& task);      ///< the first event
  void on_progress(const a2a::Task& task);  ///< left out when the client reads slowly
  void on_artifact(const a2a::Task& task);
  void on_end(const a2a::Task& task);  ///< the last call
  void keep_alive();
  [[nodiscard]] bool streams() const noexcept { return streams_; }

 private:
  void on_aborted(const Error& error) override;
  void send(std::string_view event);

  http::Exchange exchange_;
  std::string id_;
  a2a::Dialect dialect_;
  a2a::TaskView view_;
  bool streams_;
  GoneHandler gone_;
};

}  // namespace axl::services
