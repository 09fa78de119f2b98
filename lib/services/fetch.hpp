// One request to a backend with the answer gathered, for what this node asks on its own account.
//
// Always on a connection that was never used, so that a failure is the backend's and not an old connection's.
#pragma once

#include <axl/result.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/scheduler.hpp"
#include "http/body_collector.hpp"
#include "http/upstream.hpp"

namespace axl::services {

struct FetchRequest {
  std::string method = "GET";
  std::string target = "/";
  http::Headers headers = {};
  Buffer body = {};
};

struct FetchLimits {
  std::size_t max_body = 16'777'216;
  Duration timeout{std::chrono::seconds{30}};  ///< for all of it
};

class Fetch final : private http::ResponseEvents {
 public:
  /// False: the body is of no interest, the head is the answer.
  using WantsBody = std::function<bool(const http::ResponseHead& head)>;
  using Handler = std::function<void(Result<http::Response> answer)>;

  /// `handler` is called once, never inside this call, and may destroy this object. Errors: the dialler's, timed_out,
  /// too_large, and those of a broken connection.
  Fetch(Scheduler& scheduler, std::shared_ptr<http::Upstream> upstream, const http::Client& client,
        FetchRequest request, const FetchLimits& limits, WantsBody wants_body, Handler handler);
  Fetch(const Fetch&) = delete;
  Fetch& operator=(const Fetch&) = delete;
  ~Fetch() = default;  ///< cuts it off; calls nobody

 private:
  void on_lease(Result<std::unique_ptr<http::Lease>> lease);
  void on_response(const http::ResponseHead& head) override;
  void on_body(Buffer piece) override;
  void on_complete() override;
  void on_failed(const Error& error, http::Delivery delivery) override;
  void finish(Result<http::Response> answer);

  std::shared_ptr<http::Upstream> upstream_;
  FetchRequest request_;
  FetchLimits limits_;
  WantsBody wants_body_;
  Handler handler_;
  std::unique_ptr<Timer> timer_;
  std::unique_ptr<http::Lease> lease_;
  std::unique_ptr<http::Upstream::Waiting> waiting_;
  http::ResponseHead head_;
  std::optional<http::BodyCollector> body_;  // set once the head has come
};

}  // namespace axl::services
