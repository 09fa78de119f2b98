#include "services/fetch.hpp"

#include <utility>

namespace axl::services {

Fetch::Fetch(Scheduler& scheduler, std::shared_ptr<http::Upstream> upstream, const http::Client& client,
             FetchRequest request, const FetchLimits& limits, WantsBody wants_body, Handler handler)
    : upstream_{std::move(upstream)},
      request_{std::move(request)},
      limits_{limits},
      wants_body_{std::move(wants_body)},
      handler_{std::move(handler)},
      timer_{scheduler.make_timer([this] {
        finish(Error{Errc::timed_out, "no answer in time"});
      })} {
  timer_->arm(scheduler.now() + limits_.timeout);
  waiting_ = upstream_->acquire(client, true,
                                [this](Result<std::unique_ptr<http::Lease>> lease) { on_lease(std::move(lease)); });
}

void Fetch::on_lease(Result<std::unique_ptr<http::Lease>> lease) {
  if (!lease) return finish(lease.error());
  lease_ = *std::move(lease);
  const http::Request head{
      .method = request_.method, .target = request_.target, .headers = std::move(request_.headers)};
  if (const auto sent = lease_->connection().send(head, std::move(request_.body), *this); !sent) finish(sent.error());
}

void Fetch::on_response(const http::ResponseHead& head) {
  head_ = head;
  if (wants_body_ && !wants_body_(head_)) return finish(http::Response{std::move(head_), {}});
  body_.emplace(http::BodyLimits{.max_bytes = limits_.max_body}, head_.content_length);
  if (body_->admit() != http::BodyCollector::Verdict::ok) finish(Error{Errc::too_large, "the answer is too long"});
}

void Fetch::on_body(Buffer piece) {
  if (body_->append(piece) != http::BodyCollector::Verdict::ok) {
    finish(Error{Errc::too_large, "the answer is too long"});
  }
}

void Fetch::on_complete() { finish(http::Response{std::move(head_), body_->take()}); }

void Fetch::on_failed(const Error& error, http::Delivery) { finish(error); }

void Fetch::finish(Result<http::Response> answer) {
  timer_->cancel();
  lease_.reset();
  // May destroy this object.
  if (const auto handler = std::exchange(handler_, nullptr)) handler(std::move(answer));
}

}  // namespace axl::services
