#include "services/a2a_agent.hpp"

#include <chrono>
#include <cstdint>
#include <utility>

#include "http/sse.hpp"
#include "http/target.hpp"
#include "mcp/json.hpp"

namespace axl::services {

namespace {

using a2a::Dialect;
using a2a::ErrorCode;
using a2a::Method;
using a2a::RpcCall;
using a2a::RpcError;
using a2a::TaskState;

constexpr std::string_view kCard = "/.well-known/agent-card.json";
constexpr std::string_view kOldCard = "/.well-known/agent.json";  // of version 0.2

a2a::WallTime system_time() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return a2a::WallTime{std::chrono::duration_cast<std::chrono::milliseconds>(now).count()};
}

// FNV-1a: tells versions of a card apart, nothing more.
std::string entity_tag(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return '"' + to_hex(std::as_bytes(std::span{&hash, 1})) + '"';
}

bool streams(Method method) noexcept { return method == Method::stream || method == Method::subscribe; }

// Clients of version 0.3 read the answer to a streaming call as a stream, an error too.
void respond_error(http::Exchange& exchange, const RpcCall& call, const RpcError& error) {
  const auto text = a2a::encode_error(call.id, error, call.dialect);
  if (call.dialect == Dialect::v0_3 && streams(call.method)) {
    start_event_stream(exchange);
    const auto event = http::encode_sse({.event = {}, .data = text, .id = {}, .retry = {}});
    exchange.write(Buffer::copy_of(as_bytes(event)));
    exchange.finish();
  } else {
    respond_json(exchange, text);
  }
}

std::string version_of(const http::RequestHead& request) {
  if (const auto header = request.headers.get("A2A-Version")) return std::string{*header};
  return http::query_value(request.target.query(), "A2A-Version").value_or(std::string{});
}

}  // namespace

A2aAgent::A2aAgent(A2aAgentConfig config, const ServiceTable& services, CallerBudget& budget, Scheduler& scheduler)
    : config_{std::move(config)},
      services_{services},
      budget_{budget},
      scheduler_{scheduler},
      caller_{scheduler},
      store_{config_.tasks},
      timer_{scheduler.make_timer([this] { keep_alive(); })} {
  if (!config_.wall_clock) config_.wall_clock = system_time;
  backend_.upstream = std::make_shared<InProcessServer>(in_process_limits(), scheduler,
                                                        [this, alive = alive_](http::Exchange exchange) {
                                                          if (*alive) {
                                                            serve(std::move(exchange));
                                                          } else {
                                                            exchange.respond_error(503, "the agent is gone");
                                                          }
                                                        });
  backend_.host = "localhost";
  backend_.path = "/";
}

A2aAgent::~A2aAgent() { *alive_ = false; }

PublicKey A2aAgent::caller_of(const http::Exchange& exchange) const {
  return exchange.client().key.value_or(config_.own_key);
}

std::string A2aAgent::random_id() {
  std::array<std::byte, 16> bytes{};
  scheduler_.rng().fill(bytes);
  return to_hex(bytes);
}

void A2aAgent::serve(http::Exchange exchange) {
  const auto& request = exchange.request();
  const auto path = http::clean_path(request.target.path());
  if (path == kCard || path == kOldCard) {
    if (request.is("GET") || request.is("HEAD")) {
      serve_card(std::move(exchange));
    } else {
      exchange.respond_error(405, "Method not allowed", {{"Allow", "GET, HEAD"}});
    }
  } else if (path != "/" && !path.empty()) {
    exchange.respond_error(404, "404 page not found");
  } else if (!request.is("POST")) {
    exchange.respond_error(405, "Method not allowed", {{"Allow", "POST"}});
  } else {
    auto share = budget_.share_of(caller_of(exchange));
    const http::BodyLimits limits{.max_bytes = config_.max_request, .budget = share.get()};
    std::move(exchange).collect(limits, [this, alive = alive_, share](http::Exchange whole, const Buffer& body) {
      if (*alive) serve_rpc(std::move(whole), body.span());
    });
  }
}

void A2aAgent::serve_card(http::Exchange exchange) {
  std::vector<std::string> names;
  for (const auto& service : services_.list_for(caller_of(exchange))) names.push_back(service.name);
  const auto card = a2a::encode_agent_card(config_.identity, names);
  const auto tag = entity_tag(card);
  const http::Headers headers{
      {"Content-Type", "application/json"}, {"ETag", tag}, {"Cache-Control", "private, no-cache"}};
  if (exchange.request().headers.get("If-None-Match") == tag) {
    exchange.respond(304, headers, {});
  } else {
    exchange.respond(200, headers, Buffer::copy_of(as_bytes(card)));
  }
}

void A2aAgent::serve_rpc(http::Exchange exchange, ByteSpan body) {
  const auto read = a2a::read_call(body, version_of(exchange.request()));
  if (const auto* const refusal = std::get_if<a2a::RpcRefusal>(&read)) {
    respond_json(exchange, a2a::encode_error(refusal->id, refusal->error, refusal->dialect));
  } else {
    dispatch(std::move(exchange), *std::get_if<RpcCall>(&read));
  }
}

void A2aAgent::dispatch(http::Exchange exchange, const RpcCall& call) {
  switch (call.method) {
    case Method::send:
    case Method::stream: return send(std::move(exchange), call);
    case Method::get: return get(std::move(exchange), call);
    case Method::list: return list(std::move(exchange), call);
    case Method::cancel: return cancel(std::move(exchange), call);
    case Method::subscribe: return subscribe(std::move(exchange), call);
    case Method::push_config: return respond_error(exchange, call, {.code = ErrorCode::push_not_supported});
    case Method::extended_card:
      return respond_error(exchange, call,
                           {.code = call.dialect == Dialect::v1_0 ? ErrorCode::unsupported_operation
                                                                  : ErrorCode::extended_card_not_configured});
  }
}

void A2aAgent::send(http::Exchange exchange, const RpcCall& call) {
  const auto params = a2a::read_send_params(call.params, call.dialect);
  if (const auto* const error = std::get_if<RpcError>(&params)) return respond_error(exchange, call, *error);
  const auto& wanted = *std::get_if<a2a::SendParams>(&params);
  const auto caller = caller_of(exchange);
  if (const auto error = refuse_reply(caller, wanted.message, call.dialect)) {
    return respond_error(exchange, call, *error);
  }
  const auto id = create(caller, wanted.message);
  if (!id) return respond_error(exchange, call, {.code = ErrorCode::internal, .text = id.error().text()});
  const bool waits = wanted.wait || call.method == Method::stream;
  if (waits) listen(*id, std::move(exchange), call, wanted.view);
  begin(*id, caller, wanted.message);
  if (waits) return;
  if (const auto* const task = store_.find(caller, *id)) {
    respond_json(exchange, a2a::encode_result(call.id, a2a::encode_sent(*task, call.dialect, wanted.view)));
  }
}

// A task is one call of a service: it takes no second message.
std::optional<RpcError> A2aAgent::refuse_reply(const PublicKey& caller, const a2a::Message& message,
                                               Dialect dialect) const {
  if (message.task_id.empty()) return {};
  const auto* const task = store_.find(caller, message.task_id);
  if (task == nullptr) return RpcError{.code = ErrorCode::task_not_found};
  if (!message.context_id.empty() && message.context_id != task->context_id) {
    return RpcError{.code = ErrorCode::invalid_params, .text = "the task belongs to another context"};
  }
  return RpcError{.code = dialect == Dialect::v1_0 ? ErrorCode::unsupported_operation : ErrorCode::invalid_params,
                  .text = "the task takes no further message; send one without taskId"};
}

Result<std::string> A2aAgent::create(const PublicKey& caller, const a2a::Message& message) {
  a2a::Task task{.id = random_id(), .context_id = message.context_id, .owner = caller};
  if (task.context_id.empty()) task.context_id = random_id();
  task.updated = config_.wall_clock();
  task.history.push_back(message);
  for (auto& part : task.history.back().parts) {
    if (part.content.size() <= config_.kept_message) continue;
    part = {.kind = a2a::Part::Kind::text,
            .content = "(" + std::to_string(part.content.size()) + " bytes that are not kept)"};
  }
  if (task.history.back().metadata.size() > config_.kept_message) task.history.back().metadata.clear();
  auto id = task.id;
  if (auto added = store_.add(std::move(task)); !added) return added.error();
  runs_.try_emplace(id);
  return id;
}

void A2aAgent::listen(const std::string& id, http::Exchange exchange, const RpcCall& call, a2a::TaskView view) {
  const auto caller = caller_of(exchange);
  auto& listener = runs_[id].listeners.emplace_back(std::move(exchange), call, view,
                                                    [this, id](A2aListener& gone) { forget(id, gone); });
  if (const auto* const task = store_.find(caller, id)) listener.on_task(*task);
  if (!listener.streams() || armed_) return;
  armed_ = true;
  timer_->arm(scheduler_.now() + config_.keep_alive);
}

void A2aAgent::begin(const std::string& id, const PublicKey& caller, const a2a::Message& message) {
  store_.set_state(id, TaskState::working, "Processing MCP request...", config_.wall_clock());
  for (auto& listener : runs_[id].listeners) listener.on_progress(*store_.find(caller, id));
  auto skill = a2a::read_skill_request(message);
  if (!skill) return finish(id, caller, TaskState::failed, "Error: " + skill.error().text());
  auto service = service_for(caller, skill->service);
  if (!service) return finish(id, caller, TaskState::failed, "Error: " + service.error().text());
  // A task may run for long, and hold its request all the while.
  auto held = budget_.hold(caller, skill->request.size());
  if (!held) return finish(id, caller, TaskState::failed, "Error: too much of your requests is under way");
  runs_[id].held = std::move(*held);
  const auto& listeners = runs_[id].listeners;
  const bool streamed = !listeners.empty() && listeners.front().streams();
  runs_[id].call = caller_.call(
      {.caller = caller,
       .service = std::move(*service),
       .body = to_bytes(streamed ? a2a::with_progress_token(skill->request, id) : skill->request),
       .timeout = config_.task_timeout},
      [this, id, caller](Result<Bytes> answer) { on_answer(id, caller, std::move(answer)); },
      [this, id, caller](std::string_view notification) { on_event(id, caller, notification); });
}

Result<std::shared_ptr<const Service>> A2aAgent::service_for(const PublicKey& caller, const std::string& name) const {
  if (name.empty()) {
    const auto usable = services_.list_for(caller);
    if (usable.size() != 1) return Error{Errc::not_found, "No 'service' in the message"};
    return services_.find(usable.front().name);
  }
  auto service = services_.find(name);
  if (!service || !ServiceTable::allows(*service, caller)) {
    return Error{Errc::not_found, "Service not found: " + name.substr(0, ServiceTable::kMaxNameSize)};
  }
  return service;
}

void A2aAgent::on_event(const std::string& id, const PublicKey& caller, std::string_view notification) {
  auto text = a2a::progress_text(notification);
  const auto run = runs_.find(id);
  if (!text || run == runs_.end()) return;
  store_.set_state(id, TaskState::working, std::move(*text), config_.wall_clock());
  for (auto& listener : run->second.listeners) listener.on_progress(*store_.find(caller, id));
}

void A2aAgent::on_answer(const std::string& id, const PublicKey& caller, Result<Bytes> answer) {
  if (!answer) return finish(id, caller, TaskState::failed, "Error: " + answer.error().text());
  std::string json{mcp::json::trim(as_text(*answer))};
  if (json.empty()) json = "null";  // a notification, taken
  if (auto kept = store_.set_answer(id, std::move(json), config_.wall_clock()); !kept) {
    return finish(id, caller, TaskState::failed, "Error: " + kept.error().text());
  }
  for (auto& listener : runs_[id].listeners) listener.on_artifact(*store_.find(caller, id));
  finish(id, caller, TaskState::completed, {});
}

void A2aAgent::finish(const std::string& id, const PublicKey& caller, TaskState state, std::string text) {
  store_.set_state(id, state, std::move(text), config_.wall_clock());
  const auto run = runs_.extract(id);
  const auto* const task = store_.find(caller, id);
  if (run.empty() || task == nullptr) return;
  for (auto& listener : run.mapped().listeners) listener.on_end(*task);
}

void A2aAgent::get(http::Exchange exchange, const RpcCall& call) {
  const auto params = a2a::read_task_params(call.params);
  if (const auto* const error = std::get_if<RpcError>(&params)) return respond_error(exchange, call, *error);
  const auto& wanted = *std::get_if<a2a::TaskParams>(&params);
  const auto* const task = store_.find(caller_of(exchange), wanted.id);
  if (task == nullptr) return respond_error(exchange, call, {.code = ErrorCode::task_not_found});
  respond_json(exchange, a2a::encode_result(call.id, a2a::encode_task(*task, call.dialect, wanted.view)));
}

void A2aAgent::list(http::Exchange exchange, const RpcCall& call) {
  const auto params = a2a::read_list_params(call.params);
  if (const auto* const error = std::get_if<RpcError>(&params)) return respond_error(exchange, call, *error);
  const auto& wanted = *std::get_if<a2a::ListParams>(&params);
  const auto page = store_.list(caller_of(exchange), wanted.filter);
  respond_json(exchange, a2a::encode_result(call.id, a2a::encode_list(page, wanted)));
}

void A2aAgent::cancel(http::Exchange exchange, const RpcCall& call) {
  const auto params = a2a::read_task_params(call.params);
  if (const auto* const error = std::get_if<RpcError>(&params)) return respond_error(exchange, call, *error);
  const auto& wanted = *std::get_if<a2a::TaskParams>(&params);
  const auto caller = caller_of(exchange);
  const auto* const task = store_.find(caller, wanted.id);
  if (task == nullptr) return respond_error(exchange, call, {.code = ErrorCode::task_not_found});
  if (a2a::is_final(task->state)) return respond_error(exchange, call, {.code = ErrorCode::task_not_cancelable});
  finish(wanted.id, caller, TaskState::canceled, {});
  respond_json(exchange, a2a::encode_result(call.id, a2a::encode_task(*task, call.dialect)));
}

void A2aAgent::subscribe(http::Exchange exchange, const RpcCall& call) {
  const auto params = a2a::read_task_params(call.params);
  if (const auto* const error = std::get_if<RpcError>(&params)) return respond_error(exchange, call, *error);
  const auto& wanted = *std::get_if<a2a::TaskParams>(&params);
  const auto* const task = store_.find(caller_of(exchange), wanted.id);
  if (task == nullptr) return respond_error(exchange, call, {.code = ErrorCode::task_not_found});
  if (a2a::is_final(task->state)) {
    return respond_error(
        exchange, call,
        {.code = call.dialect == Dialect::v1_0 ? ErrorCode::unsupported_operation : ErrorCode::invalid_params,
         .text = "the task is finished"});
  }
  if (runs_[wanted.id].listeners.size() >= config_.listeners_per_task) {
    return respond_error(exchange, call, {.code = ErrorCode::internal, .text = "too many clients listen to this task"});
  }
  listen(wanted.id, std::move(exchange), call, {});
}

void A2aAgent::forget(const std::string& id, A2aListener& listener) {
  const auto run = runs_.find(id);
  if (run == runs_.end()) return;
  run->second.listeners.remove_if([&listener](const A2aListener& other) { return &other == &listener; });
}

void A2aAgent::keep_alive() {
  armed_ = false;
  for (auto& [id, run] : runs_) {
    for (auto& listener : run.listeners) {
      listener.keep_alive();
      armed_ = armed_ || listener.streams();
    }
  }
  if (armed_) timer_->arm(scheduler_.now() + config_.keep_alive);
}

}  // namespace axl::services
