#include "services/handler_server.hpp"

#include <deque>
#include <unordered_map>
#include <utility>

#include "http/body_collector.hpp"
#include "services/in_process_server.hpp"
#include "services/reply_state.hpp"

namespace axl::services {

namespace {

// Where the handler is on its server; what follows is the request's own path.
constexpr std::string_view kBase = "/handler";

class HandlerServer;

// One request from its head to the end of its answer.
class Answer final : public http::ExchangeEvents, public ReplySink {
 public:
  Answer(HandlerServer& server, http::Exchange exchange, std::shared_ptr<http::BudgetShare> share, std::size_t max_body)
      : server_{server},
        exchange_{std::move(exchange)},
        share_{std::move(share)},
        body_{{.max_bytes = max_body, .budget = share_.get()}, exchange_.request().content_length} {}
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;
  ~Answer() {
    if (state_) state_->on_gone(finished_);
  }

  void begin();
  void carry_out(ReplyStep step) override;

 private:
  void on_body(Buffer piece) override;
  void on_body_end() override;
  void on_writable() override;
  void on_aborted(const Error& error) override;

  bool check(http::BodyCollector::Verdict verdict);
  void call_handler();
  void end();
  void flush();

  HandlerServer& server_;
  http::Exchange exchange_;
  std::shared_ptr<http::BudgetShare> share_;  // outlives body_
  http::BodyCollector body_;
  std::shared_ptr<ReplyState> state_;  // set once the handler has been called
  std::deque<Buffer> held_;            // written, waiting for room
  std::size_t held_bytes_ = 0;
  bool finish_when_flushed_ = false;
  bool finished_ = false;
};

class HandlerServer final : public http::Upstream {
 public:
  HandlerServer(std::string name, ServiceHandler handler, const HandlerLimits& limits, CallerBudget& budget,
                Scheduler& scheduler)
      : name_{std::move(name)},
        handler_{std::move(handler)},
        max_body_{limits.max_body},
        budget_{budget},
        loop_{std::make_shared<ReplyLoop>(scheduler.executor())},
        server_{server_limits(limits), scheduler, [this](http::Exchange exchange) { serve(std::move(exchange)); }} {}
  HandlerServer(const HandlerServer&) = delete;
  HandlerServer& operator=(const HandlerServer&) = delete;
  ~HandlerServer() {
    answers_.clear();
    loop_->detach();
  }

  std::unique_ptr<Waiting> acquire(const http::Client& client, bool fresh, LeaseHandler handler) override {
    return server_.acquire(client, fresh, std::move(handler));
  }

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const ServiceHandler& handler() const noexcept { return handler_; }
  [[nodiscard]] const std::shared_ptr<ReplyLoop>& loop() const noexcept { return loop_; }
  void end(const Answer* answer) { const auto gone = answers_.extract(answer); }

 private:
  static http::ServerLimits server_limits(const HandlerLimits& limits) {
    auto out = in_process_limits();
    out.connections = limits.under_way;
    out.connections_per_key = limits.under_way_per_caller;
    return out;
  }

  void serve(http::Exchange exchange) {
    auto share = budget_.share_of(exchange.client().key.value_or(PublicKey{}));
    auto answer = std::make_unique<Answer>(*this, std::move(exchange), std::move(share), max_body_);
    auto& begun = *answer;
    answers_.emplace(answer.get(), std::move(answer));
    begun.begin();
  }

  std::string name_;
  const ServiceHandler handler_;
  std::size_t max_body_;
  CallerBudget& budget_;
  std::shared_ptr<ReplyLoop> loop_;
  std::unordered_map<const Answer*, std::unique_ptr<Answer>> answers_;
  InProcessServer server_;  // the first to go: it calls nobody then
};

void Answer::begin() {
  exchange_.set_events(this);
  if (!check(body_.admit())) return;
  if (exchange_.request().has_body()) {
    exchange_.read_body();
  } else {
    call_handler();
  }
}

bool Answer::check(http::BodyCollector::Verdict verdict) {
  switch (verdict) {
    case http::BodyCollector::Verdict::ok: return true;
    case http::BodyCollector::Verdict::too_large: exchange_.respond_error(413, "Request too large"); break;
    case http::BodyCollector::Verdict::no_budget:
      exchange_.respond_error(503, "Too many requests under way", {{"Retry-After", "1"}});
      break;
  }
  end();
  return false;
}

void Answer::on_body(Buffer piece) { static_cast<void>(check(body_.append(piece))); }

void Answer::on_body_end() { call_handler(); }

void Answer::call_handler() {
  const auto& head = exchange_.request();
  ServiceRequest request;
  request.caller = exchange_.client().key.value_or(PublicKey{});
  request.service = server_.name();
  request.method = head.method;
  auto path = head.target.path();
  if (path.starts_with(kBase)) path.remove_prefix(kBase.size());
  request.path = path;
  request.query = head.target.query();
  for (const auto& line : head.headers) request.headers.emplace_back(line.name, line.value);
  const auto body = body_.take();
  request.body.assign(body.span().begin(), body.span().end());

  state_ = std::make_shared<ReplyState>(server_.loop());
  state_->sink = this;
  const auto handler = server_.handler();
  // The answer may be complete, and this object gone, when the handler comes back.
  try {
    handler(std::move(request), ServiceReply{state_});
  } catch (...) {
    // Its reply has gone with it: answered 500, or cut.
  }
}

void Answer::carry_out(ReplyStep step) {
  using Kind = ReplyStep::Kind;
  if (finish_when_flushed_) return;
  switch (step.kind) {
    case Kind::respond:
      if (exchange_.started()) {
        exchange_.abort();
        return end();
      }
      exchange_.respond(step.status, step.headers, std::move(step.bytes));
      finished_ = true;
      return end();
    case Kind::start:
      if (!exchange_.started()) exchange_.start(step.status, step.headers);
      return;
    case Kind::write:
      if (!exchange_.started()) exchange_.start(200, {});
      held_bytes_ += step.bytes.size();
      held_.push_back(std::move(step.bytes));
      return flush();
    case Kind::finish:
      if (!exchange_.started()) exchange_.start(200, {}, 0);
      finish_when_flushed_ = true;
      return flush();
    case Kind::drop:
      if (!exchange_.started()) exchange_.respond_error(500, "The service gave no answer");
      return end();  // cuts an answer that has begun
    case Kind::abort: exchange_.abort(); return end();
  }
}

void Answer::flush() {
  const bool held = held_bytes_ > 0;
  while (!held_.empty() && exchange_.writable()) {
    held_bytes_ -= held_.front().size();
    exchange_.write(std::move(held_.front()));
    held_.pop_front();
  }
  state_->held(held_bytes_);
  if (finish_when_flushed_) {
    if (!held_.empty()) return;
    exchange_.finish();
    finished_ = true;
    end();
    return;
  }
  if (held && held_.empty()) state_->on_room();
}

void Answer::on_writable() { flush(); }

void Answer::on_aborted(const Error&) { end(); }

void Answer::end() { server_.end(this); }

}  // namespace

Backend make_handler_backend(std::string name, ServiceHandler handler, const HandlerLimits& limits,
                             CallerBudget& budget, Scheduler& scheduler) {
  Backend backend;
  backend.upstream = std::make_shared<HandlerServer>(std::move(name), std::move(handler), limits, budget, scheduler);
  backend.host = "localhost";
  backend.path = kBase;
  return backend;
}

}  // namespace axl::services
