// An HTTP server of ours and the bytes of a client, joined by a pipe in memory: what a request costs besides sockets.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "http/server.hpp"

namespace axl::bench {

/// Runs what is posted, in its order.
class InTurn final : public Executor {
 public:
  void post(std::function<void()> task) override { tasks_.push_back(std::move(task)); }
  [[nodiscard]] bool on_loop() const noexcept override { return true; }
  void run() {
    for (; !tasks_.empty(); tasks_.pop_front()) {
      const auto task = std::move(tasks_.front());
      task();
    }
  }

 private:
  std::deque<std::function<void()>> tasks_;
};

/// The head of a `/send` as curl and the clients of agents write it.
[[nodiscard]] std::string send_request(std::size_t body);

class HttpPair final : private StreamHandler {
 public:
  HttpPair();
  /// One `/send` with a body of `size` bytes, answered 200 with the lines that the node's answer has.
  void ask(std::size_t size);

 private:
  void on_data(Buffer data) override { received_.append(as_text(data)); }
  void on_end() override {}
  void on_closed(const Error* /*error*/) override {}

  InTurn executor_;
  http::Server server_;
  std::unique_ptr<Stream> client_;
  std::string received_;
  std::string request_;
  std::size_t request_size_ = 0;
};

}  // namespace axl::bench
