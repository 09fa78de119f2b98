#include "services/mcp_caller.hpp"

#include <utility>

#include "services/mcp_headers.hpp"
#include "services/mcp_running.hpp"

namespace axl::services {

McpCaller::McpCaller(Scheduler& scheduler, Limits limits)
    : scheduler_{scheduler}, limits_{limits}, sessions_{limits.sessions}, timer_{scheduler.make_timer([this] {
        armed_ = false;
        end(sessions_.expire(scheduler_.now()));
        arm();
      })} {}

McpCaller::~McpCaller() { *alive_ = false; }

std::unique_ptr<McpCaller::Call> McpCaller::call(Message message, AnswerHandler answer, EventHandler event) {
  auto running = std::make_unique<Running>(*this, std::move(message), std::move(answer), std::move(event));
  running->begin();
  return running;
}

void McpCaller::open_session(const McpSessionKey& key, const std::shared_ptr<const Service>& service,
                             std::uint64_t call) {
  auto& opening = openings_[key];
  opening.waiting.insert(call);
  if (opening.handshake) return;
  opening.handshake = std::make_unique<McpHandshake>(
      service, key.first, [this, key](Result<McpSession> session) { on_opened(key, std::move(session)); });
  opening.timer = scheduler_.make_timer([this, key] {
    on_opened(key, Error{Errc::timed_out, "the service opens no session in time"});
  });
  opening.timer->arm(scheduler_.now() + limits_.handshake_timeout);
  opening.handshake->begin();
}

// Every call that waited may be destroyed while another is told.
void McpCaller::on_opened(const McpSessionKey& key, Result<McpSession> session) {
  sessions_.set_wants_session(key.second, session && !session->id.empty());
  auto opened = session ? Result<std::shared_ptr<const McpSession>>{remember(key, std::move(*session))}
                        : Result<std::shared_ptr<const McpSession>>{session.error()};
  const auto found = openings_.find(key);
  if (found == openings_.end()) return;
  const auto finished = std::move(found->second.handshake);  // one of them is calling us
  const auto timer = std::move(found->second.timer);
  const auto waiting = std::move(found->second.waiting);
  openings_.erase(found);
  const auto alive = alive_;
  for (const auto number : waiting) {
    if (!*alive) return;
    if (const auto call = running_.find(number); call != running_.end()) call->second->on_session(opened);
  }
}

std::shared_ptr<const McpSession> McpCaller::remember(const McpSessionKey& key, McpSession session) {
  auto service = session.service.lock();
  end(sessions_.set(key, std::move(session), scheduler_.now()));
  arm();
  return sessions_.find(key, service, scheduler_.now());
}

// A session that a call still uses ends by itself, some day, at the server.
void McpCaller::end(const McpSessions::Gone& sessions) {
  for (const auto& session : sessions) {
    auto service = session->service.lock();
    if (session.use_count() > 1 || session->id.empty() || !service) continue;
    run_errand({.service = std::move(service),
                .caller = session->caller,
                .method = "DELETE",
                .headers = mcp_headers_of(*session)});
  }
}

void McpCaller::run_errand(McpPost::Request request) {
  if (errands_.size() >= limits_.errands) return;
  const auto errand = errands_.emplace(errands_.end());
  const auto over = [this, errand] { errands_.erase(errand); };
  errand->timer = scheduler_.make_timer(over);
  errand->timer->arm(scheduler_.now() + limits_.errand_timeout);
  errand->post = std::make_unique<McpPost>(std::move(request), [over](const Result<McpPost::Answer>&) { over(); });
}

void McpCaller::arm() {
  if (armed_ || sessions_.size() == 0) return;
  armed_ = true;
  timer_->arm(scheduler_.now() + limits_.sessions.idle / 4);
}

}  // namespace axl::services
