#include "services/stdio_server.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "http/text.hpp"
#include "services/stdio_errors.hpp"

namespace axl::services {

namespace {

using Kind = mcp::JsonRpc::Kind;

constexpr std::string_view kBase = "/mcp";
constexpr std::string_view kStateless = "2026-07-28";
constexpr Duration kTick = std::chrono::seconds{5};
constexpr Duration kSoonAfterStart = std::chrono::seconds{10};
constexpr Duration kLongestBackoff = std::chrono::seconds{60};
constexpr Duration kRemember = std::chrono::minutes{10};

Buffer as_buffer(std::string_view text) { return Buffer::copy_of(std::as_bytes(std::span{text})); }

void refuse_rpc(http::Exchange& exchange, int status, int code, std::string_view text) {
  exchange.respond(status, {{"Content-Type", "application/json"}}, as_buffer(mcp::encode_rpc_error({}, code, text)));
}

bool lists(std::string_view accept, std::string_view wanted) {
  while (!accept.empty()) {
    const auto end = std::min(accept.find(','), accept.size());
    auto type = accept.substr(0, end);
    type = http::trim(type.substr(0, type.find(';')));
    if (http::equal_ignoring_case(type, wanted)) return true;
    accept.remove_prefix(std::min(end + 1, accept.size()));
  }
  return false;
}

std::string accept_of(const http::RequestHead& request) {
  std::string all;
  for (const auto value : request.headers.get_all("Accept")) all.append(all.empty() ? "" : ",").append(value);
  return all;
}

std::optional<StdioStream::Form> form_of(const http::RequestHead& request) {
  const auto accept = accept_of(request);
  if (lists(accept, "text/event-stream")) return StdioStream::Form::events;
  const bool json =
      accept.empty() || lists(accept, "application/json") || lists(accept, "application/*") || lists(accept, "*/*");
  return json ? std::optional{StdioStream::Form::json} : std::nullopt;
}

// 128 random bits: nobody guesses another's session.
std::string new_id(Rng& rng) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<std::byte, 16> bits{};
  rng.fill(bits);
  std::string id;
  for (const auto byte : bits) {
    id += kDigits[std::to_integer<std::size_t>(byte >> 4U)];
    id += kDigits[std::to_integer<std::size_t>(byte & std::byte{15})];
  }
  return id;
}

http::ServerLimits server_limits() {
  auto limits = in_process_limits();
  limits.connections = 4'096;
  limits.connections_per_key = 1'024;
  return limits;
}

PublicKey caller_of(const http::Exchange& exchange) { return exchange.client().key.value_or(PublicKey{}); }

std::string whole_seconds(Duration time) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(time).count();
  return std::to_string(std::max<long long>(1, seconds));
}

}  // namespace

StdioServer::StdioServer(std::string name, ProcessOptions command, const StdioLimits& limits, System& system,
                         Scheduler& scheduler, CallerBudget& budget, Logger log)
    : name_{std::move(name)},
      command_{std::move(command)},
      limits_{limits},
      system_{system},
      scheduler_{scheduler},
      budget_{budget},
      log_{std::move(log)},
      timer_{scheduler.make_timer([this] { on_tick(); })},
      server_{server_limits(), scheduler, [this](http::Exchange exchange) { serve(std::move(exchange)); }} {}

StdioServer::~StdioServer() { *alive_ = false; }

std::unique_ptr<http::Upstream::Waiting> StdioServer::acquire(const http::Client& client, bool fresh,
                                                              LeaseHandler handler) {
  return server_.acquire(client, fresh, std::move(handler));
}

// --- Requests

void StdioServer::serve(http::Exchange exchange) {
  const auto path = exchange.request().target.path();
  if (path != kBase && path != std::string{kBase} + '/') return exchange.respond_error(404, "no such path");
  if (exchange.request().is("POST")) return serve_post(std::move(exchange));
  if (exchange.request().is("GET")) return serve_get(std::move(exchange));
  if (exchange.request().is("DELETE")) return serve_delete(std::move(exchange));
  exchange.respond_error(405, "Method not allowed", {{"Allow", "GET, POST, DELETE"}});
}

void StdioServer::serve_post(http::Exchange exchange) {
  const auto& headers = exchange.request().headers;
  const auto type = headers.get("Content-Type").value_or("");
  if (!lists(type, "application/json")) {
    return refuse_rpc(exchange, 415, -32600, "Content-Type must be application/json");
  }
  const auto form = form_of(exchange.request());
  if (!form) return refuse_rpc(exchange, 406, -32600, "Accept must list application/json or text/event-stream");
  auto share = budget_.share_of(caller_of(exchange));
  const http::BodyLimits limits{.max_bytes = limits_.max_message, .budget = share.get()};
  std::move(exchange).collect(limits, [this, form, share](http::Exchange whole, Buffer body) {
    take_post(std::move(whole), *form, std::move(body));
  });
}

void StdioServer::take_post(http::Exchange exchange, Form form, Buffer body) {
  const std::string_view text{reinterpret_cast<const char*>(body.data()), body.size()};
  const auto messages = read_messages(text);
  if (messages.empty()) return refuse_rpc(exchange, 400, -32700, "the body is no JSON-RPC message");
  const auto& headers = exchange.request().headers;
  const bool named = headers.contains("Mcp-Session-Id");
  if (!named && headers.get("MCP-Protocol-Version").value_or("") >= kStateless) {
    return take_stateless(std::move(exchange), form, messages, std::move(body));
  }
  const bool begins =
      !named && messages.size() == 1 && messages[0].kind == Kind::request && messages[0].method == "initialize";
  if (!begins) {
    if (auto* const session = session_of(exchange)) session->post(std::move(exchange), form, messages, std::move(body));
    return;
  }
  auto session = start(exchange, new_id(scheduler_.rng()));
  if (!session) return;
  auto& begun = *session;
  sessions_.emplace(begun.id(), std::move(session));
  begun.post(std::move(exchange), form, messages, std::move(body));
}

void StdioServer::take_stateless(http::Exchange exchange, Form form, const std::vector<StdioMessage>& messages,
                                 Buffer body) {
  if (scheduler_.now() < not_modern_until_) {
    return exchange.respond_error(400, "this server does not know the revision 2026-07-28");
  }
  auto found = shared_.find(caller_of(exchange));
  if (found != shared_.end() && found->second->over()) {
    retire(std::move(found->second));
    shared_.erase(found);
    found = shared_.end();
  }
  if (found == shared_.end()) {
    auto session = start(exchange, {});
    if (!session) return;
    found = shared_.emplace(session->caller(), std::move(session)).first;
  }
  found->second->post(std::move(exchange), form, messages, std::move(body));
}

void StdioServer::serve_get(http::Exchange exchange) {
  const auto& headers = exchange.request().headers;
  if (!headers.contains("Mcp-Session-Id") && headers.get("MCP-Protocol-Version").value_or("") >= kStateless) {
    return exchange.respond_error(405, "Method not allowed", {{"Allow", "POST"}});
  }
  if (!lists(accept_of(exchange.request()), "text/event-stream")) {
    return refuse_rpc(exchange, 406, -32600, "Accept must list text/event-stream");
  }
  auto* const session = session_of(exchange);
  if (session == nullptr) return;
  std::optional<std::string> last;
  if (const auto given = headers.get("Last-Event-ID")) last.emplace(*given);
  session->get(std::move(exchange), last ? std::optional<std::string_view>{*last} : std::nullopt);
}

void StdioServer::serve_delete(http::Exchange exchange) {
  auto* const session = session_of(exchange);
  if (session == nullptr) return;
  auto node = sessions_.extract(session->id());
  exchange.respond(204, {}, {});
  retire(std::move(node.mapped()));
}

StdioSession* StdioServer::session_of(http::Exchange& exchange) {
  const auto id = exchange.request().headers.get("Mcp-Session-Id");
  if (!id) {
    refuse_rpc(exchange, 400, -32600, "Mcp-Session-Id is missing");
    return nullptr;
  }
  const auto found = sessions_.find(std::string{*id});
  if (found == sessions_.end() || found->second->over() || found->second->caller() != caller_of(exchange)) {
    refuse_rpc(exchange, 404, -32001, "Session not found");
    return nullptr;
  }
  return found->second.get();
}

// --- Processes

std::unique_ptr<StdioSession> StdioServer::start(http::Exchange& exchange, std::string id) {
  const auto now = scheduler_.now();
  if (now < start_after_) {
    exchange.respond_error(503, "the service's program keeps failing",
                           {{"Retry-After", whole_seconds(start_after_ - now)}});
    return nullptr;
  }
  if (processes() >= limits_.max_processes) {
    exchange.respond_error(503, "all processes of this service are in use", {{"Retry-After", "5"}});
    return nullptr;
  }
  if (processes_of(caller_of(exchange)) >= limits_.max_per_caller) {
    exchange.respond_error(503, "your share of this service's processes is in use", {{"Retry-After", "5"}});
    return nullptr;
  }
  auto process = system_.start(command_);
  if (!process) {
    log_(LogLevel::warning, "service", "{}: {}", name_, clipped(process.error().text(), 500));
    note_failure();
    exchange.respond_error(502, "the service's program cannot be started");
    return nullptr;
  }
  log_(LogLevel::info, "service", "{}: process {} started for {}", name_, (*process)->pid(),
       caller_of(exchange).to_hex());
  log_errors_of(**process);
  if (processes() == 0) timer_->arm(now + std::min(kTick, limits_.idle));
  StdioSession::Owner& self = *this;
  return std::make_unique<StdioSession>(self, name_, limits_, scheduler_, log_, std::move(id), caller_of(exchange),
                                        *std::move(process));
}

std::size_t StdioServer::processes_of(const PublicKey& caller) const {
  const auto of_caller = [&](const auto& entry) { return entry.second->caller() == caller; };
  const auto ending = [&](const auto& entry) { return entry.second.caller == caller; };
  return static_cast<std::size_t>(std::ranges::count_if(sessions_, of_caller) +
                                  std::ranges::count_if(shared_, of_caller) + std::ranges::count_if(ending_, ending));
}

void StdioServer::log_errors_of(Process& process) {
  process.on_error_line(
      [lines = std::make_shared<StdioErrors>(name_, process.pid(), log_), this, alive = alive_](std::string_view line) {
        if (*alive) lines->take(line, scheduler_.now());
      });
}

// The second time in a row it may have been bad luck; from then on the pauses double.
void StdioServer::note_failure() {
  ++failures_;
  if (failures_ < 2) return;
  const auto pause = std::chrono::seconds{1} * (1LL << std::min(failures_ - 2, 6U));
  start_after_ = scheduler_.now() + std::min<Duration>(pause, kLongestBackoff);
}

void StdioServer::on_not_modern() { not_modern_until_ = scheduler_.now() + kRemember; }

void StdioServer::on_session_over(StdioSession& session) {
  if (!session.useful() && scheduler_.now() - session.started() < kSoonAfterStart) note_failure();
  if (std::exchange(sweeping_, true)) return;
  scheduler_.executor().post([this, alive = alive_] {
    if (*alive) sweep();
  });
}

void StdioServer::sweep() {
  sweeping_ = false;
  const auto take_over = [this](auto& sessions) {
    for (auto at = sessions.begin(); at != sessions.end();) {
      if (!at->second->over()) {
        ++at;
        continue;
      }
      auto session = std::move(at->second);
      at = sessions.erase(at);
      retire(std::move(session));
    }
  };
  take_over(sessions_);
  take_over(shared_);
}

void StdioServer::retire(std::unique_ptr<StdioSession> session) {
  auto process = session->end();
  if (!process) return;
  const auto number = next_ending_++;
  process->on_end([this, alive = alive_, number](ProcessEnd) {
    if (!*alive) return;
    scheduler_.executor().post([this, alive, number] {
      if (*alive) ending_.erase(number);
    });
  });
  process->terminate(limits_.grace);
  ending_.emplace(number, Ending{session->caller(), std::move(process)});
}

void StdioServer::on_tick() {
  const auto now = scheduler_.now();
  const auto visit = [&](auto& sessions) {
    for (auto at = sessions.begin(); at != sessions.end();) {
      at->second->on_tick(now);
      if (!at->second->idle_at(now)) {
        ++at;
        continue;
      }
      auto session = std::move(at->second);
      at = sessions.erase(at);
      log_(LogLevel::info, "service", "{}: an idle session has ended", name_);
      retire(std::move(session));
    }
  };
  visit(sessions_);
  visit(shared_);
  if (processes() > 0) timer_->arm(now + std::min(kTick, limits_.idle));
}

Backend make_stdio_backend(std::string name, ProcessOptions command, const StdioLimits& limits, System& system,
                           Scheduler& scheduler, CallerBudget& budget, Logger log) {
  Backend backend;
  backend.upstream = std::make_shared<StdioServer>(std::move(name), std::move(command), limits, system, scheduler,
                                                   budget, std::move(log));
  backend.host = "localhost";
  backend.path = kBase;
  return backend;
}

}  // namespace axl::services
