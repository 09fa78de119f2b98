#include "services/stdio_session.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "mcp/json.hpp"

namespace axl::services {

namespace {

using Kind = mcp::JsonRpc::Kind;

constexpr Duration kKeepAlive = std::chrono::seconds{25};
constexpr int kUnknownMethod = -32601;

Buffer as_buffer(std::string_view text) { return Buffer::copy_of(std::as_bytes(std::span{text})); }
std::string_view as_text(ByteSpan bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

void refuse_rpc(http::Exchange& exchange, int status, int code, std::string_view text, http::Headers headers = {}) {
  headers.add("Content-Type", "application/json");
  exchange.respond(status, headers, as_buffer(mcp::encode_rpc_error({}, code, text)));
}

}  // namespace

StdioSession::StdioSession(Owner& owner, const std::string& service, const StdioLimits& limits, Scheduler& scheduler,
                           const Logger& log, std::string id, const PublicKey& caller, std::unique_ptr<Process> process)
    : owner_{owner},
      service_{service},
      limits_{limits},
      scheduler_{scheduler},
      log_{log},
      id_{std::move(id)},
      caller_{caller},
      started_{scheduler.now()},
      process_{std::move(process)},
      active_{started_},
      kept_alive_{started_} {
  process_->stdio().set_handler(this);
  process_->on_end([this](ProcessEnd how) {
    exited_ = true;
    log_(useful_ ? LogLevel::info : LogLevel::warning, "service", "{}: process {} ended, {} {}", service_,
         process_->pid(), how.signal != 0 ? "signal" : "exit code", how.signal != 0 ? how.signal : how.exit_code);
    give_up();
  });
}

StdioSession::~StdioSession() {
  if (process_) process_->stdio().set_handler(nullptr);
}

bool StdioSession::idle_at(Time now) const {
  if (now - active_ < limits_.idle) return false;
  return std::none_of(streams_.begin(), streams_.end(), [](const auto& item) { return item.second->attached(); });
}

StdioStream* StdioSession::find(std::uint64_t number) {
  const auto found = streams_.find(number);
  return found == streams_.end() ? nullptr : found->second.get();
}

StdioStream& StdioSession::stream_at(std::uint64_t number, StdioStream::Form form) {
  auto& stream = streams_[number];
  StdioStream::Owner& self = *this;
  if (!stream) stream = std::make_unique<StdioStream>(self, number, form);
  return *stream;
}

// --- From the client

bool StdioSession::refuse(http::Exchange& exchange, const std::vector<StdioMessage>& messages) {
  const http::Headers soon{{"Retry-After", "1"}};
  if (process_->stdio().unsent() > limits_.max_message) {
    refuse_rpc(exchange, 503, -32000, "the server does not read what it was sent", soon);
    return true;
  }
  if (requests_.size() + messages.size() > limits_.requests) {
    refuse_rpc(exchange, 503, -32000, "too many requests under way in this session", soon);
    return true;
  }
  if (stateless()) return false;
  std::set<std::string> ids;
  for (const auto& message : messages) {
    if (message.kind != Kind::request) continue;
    const auto key = id_key(message.id);
    if (ids.insert(key).second && !requests_.contains(key)) continue;
    refuse_rpc(exchange, 400, -32600, "a request with this id is under way");
    return true;
  }
  return false;
}

void StdioSession::post(http::Exchange exchange, StdioStream::Form form, const std::vector<StdioMessage>& messages,
                        Buffer body) {
  active_ = scheduler_.now();
  if (refuse(exchange, messages)) return;
  const bool asks = std::any_of(messages.begin(), messages.end(),
                                [](const StdioMessage& message) { return message.kind == Kind::request; });
  if (!asks) {
    forward_body(messages, std::move(body));
    exchange.respond(202, {}, {});
    return;
  }
  const auto number = next_stream_++;
  auto& stream = stream_at(number, form);
  stream.numbered = !stateless();
  stream.batch = mcp::json::trim(as_text(body.span())).starts_with('[');
  stream.since = active_;
  stream.initializes = messages.front().method == "initialize";
  stream.discovers = messages.front().method == "server/discover";
  stream.attach(std::move(exchange));
  // The head of a stateless answer waits for its status, that of `initialize` for the session's fate.
  if (!stateless() && !stream.initializes) stream.open(id_, primes());
  if (!stateless()) {
    for (const auto& message : messages) {
      if (message.kind == Kind::request) static_cast<void>(register_request(message, stream));
    }
    return forward_body(messages, std::move(body));
  }
  for (const auto& message : messages) {
    forward(message.kind == Kind::request ? register_request(message, stream) : to_process(message));
  }
}

// Returns the message as the process gets it, if that differs: stateless only.
std::string StdioSession::register_request(const StdioMessage& message, StdioStream& stream) {
  Request request{stream.number(), std::string{message.id}, id_key(message.id), std::string{message.token}, {}};
  if (!stateless()) {
    const auto key = id_key(message.id);
    if (!message.token.empty()) request.token_key = id_key(message.token);
    if (!request.token_key.empty()) tokens_[request.token_key] = key;
    stream.waiting.insert(key);
    requests_.emplace(key, std::move(request));
    return {};
  }
  const auto number = next_id_++;
  const auto fresh = [&](std::string_view old) {
    return old.starts_with('"') ? "\"axl-" + std::to_string(number) + "\"" : std::to_string(number);
  };
  const auto key = id_key(fresh(message.id));
  if (!message.token.empty()) {
    request.token_key = id_key(fresh(message.token));
    tokens_[request.token_key] = key;
  }
  auto line = with_parts(message, {{message.id, fresh(message.id)}, {message.token, fresh(message.token)}});
  stream.waiting.insert(key);
  requests_.emplace(key, std::move(request));
  return line;
}

// A stateless caller's message that is no request: what it names are requests by its own ids.
std::string StdioSession::to_process(const StdioMessage& message) const {
  std::string subject;
  if (!message.subject.empty()) {
    const auto wanted = id_key(message.subject);
    for (const auto& [key, request] : requests_) {
      if (request.id_key != wanted) continue;
      subject = key.front() == 's' ? mcp::json::quote(std::string_view{key}.substr(1)) : key.substr(1);
      break;
    }
    if (subject.empty()) return {};  // of no request that is under way
  }
  return with_parts(message, {{message.subject, subject}});
}

void StdioSession::forward(std::string line) {
  if (line.empty()) return;
  line += '\n';
  process_->stdio().write(as_buffer(line));
}

void StdioSession::forward_body(const std::vector<StdioMessage>& messages, Buffer body) {
  if (stateless()) {
    for (const auto& message : messages) forward(to_process(message));
    return;
  }
  if (mcp::json::trim(as_text(body.span())).size() == messages.front().text.size()) {  // no batch
    auto bytes = body.mutable_span();
    join_lines(bytes);
    constexpr std::byte kEnd{'\n'};
    body.append(ByteSpan{&kEnd, 1});
    return process_->stdio().write(std::move(body));
  }
  // A batch goes message by message: few programs read more than one object from a line.
  for (const auto& message : messages) forward(with_parts(message, {}));
}

void StdioSession::get(http::Exchange exchange, std::optional<std::string_view> last_event) {
  active_ = scheduler_.now();
  if (!last_event) {
    auto& stream = stream_at(0);
    if (stream.attached()) return exchange.respond_error(409, "the session's stream is open already");
    stream.attach(std::move(exchange));
    stream.open(id_, primes());
    stream.send_kept({});
    return update_reading();
  }
  std::uint64_t number = 0;
  std::uint64_t after = 0;
  const auto* const end = last_event->data() + last_event->size();
  const auto first = std::from_chars(last_event->data(), end, number);
  const auto valid = first.ec == std::errc{} && first.ptr != end && *first.ptr == '-' &&
                     std::from_chars(first.ptr + 1, end, after).ptr == end && first.ptr + 1 != end;
  auto* const stream = valid ? (number == 0 ? &stream_at(0) : find(number)) : nullptr;
  if (stream == nullptr || stream->form() == StdioStream::Form::json) {
    return refuse_rpc(exchange, 400, -32600, "no such event is kept");
  }
  stream->attach(std::move(exchange));
  stream->open(id_, false);
  stream->send_kept(after);
  if (stream->done()) stream->finish(id_);
  update_reading();
}

void StdioSession::on_left(std::uint64_t number) {
  auto* const stream = find(number);
  if (stream == nullptr) return;
  if (stream->initializes && !stream->waiting.empty()) return give_up();  // nobody knows of this session
  if (stateless()) {
    for (const auto& key : stream->waiting) {
      const auto id = key.front() == 's' ? mcp::json::quote(std::string_view{key}.substr(1)) : key.substr(1);
      forward(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":)" + id + "}}");
      forget(requests_.find(key));
    }
    streams_.erase(number);
  } else if (stream->form() == StdioStream::Form::json) {
    streams_.erase(number);  // nobody can ask for it again
  } else {
    drop_if_over(number);
  }
  update_reading();
}

// --- From the process

void StdioSession::on_data(Buffer data) {
  active_ = scheduler_.now();
  auto rest = as_text(data.span());
  while (!rest.empty() && !over_) {
    const auto end = rest.find('\n');
    const auto piece = rest.substr(0, end);
    if (line_.size() + piece.size() > limits_.max_message) {
      log_(LogLevel::warning, "service", "{}: process {} wrote a line of more than {} bytes", service_, process_->pid(),
           limits_.max_message);
      return give_up();
    }
    if (end == std::string_view::npos) {
      line_ += piece;
      return;
    }
    rest.remove_prefix(end + 1);
    if (line_.empty()) {
      take_line(piece);
    } else {
      line_ += piece;
      take_line(std::exchange(line_, {}));
    }
  }
}

void StdioSession::take_line(std::string_view line) {
  line = mcp::json::trim(line);
  if (line.empty()) return;
  const auto messages = read_messages(line);
  if (messages.empty() && log_.on(LogLevel::debug)) {
    log_(LogLevel::debug, "service", "{}: process {} wrote what is no message: {}", service_, process_->pid(),
         clipped(line, 200));
  }
  for (const auto& message : messages) {
    if (over_) return;
    if (message.kind == Kind::response) {
      take_response(message);
    } else {
      take_other(message);
    }
  }
  update_reading();
}

void StdioSession::take_response(const StdioMessage& message) {
  const auto found = requests_.find(id_key(message.id));
  if (found == requests_.end()) return;
  if (!std::exchange(useful_, true)) owner_.on_session_useful();
  const auto request = found->second;
  auto* const stream = find(request.stream);
  if (stream != nullptr) stream->waiting.erase(found->first);
  forget(found);
  if (stream == nullptr) return;
  auto text = stateless() ? with_parts(message, {{message.id, request.id}, {message.subscription, request.id}})
                          : with_parts(message, {});
  answer(*stream, message, std::move(text));
}

void StdioSession::answer(StdioStream& stream, const StdioMessage& message, std::string text) {
  const auto number = stream.number();
  const bool last = stream.waiting.empty();
  if (stream.initializes) version_ = protocol_version_of(message);
  const bool failed = stream.initializes && message.error;
  const auto& session = failed ? std::string{} : id_;
  if (stream.form() == StdioStream::Form::json && (!stateless() || stream.batch)) {
    stream.add(std::move(text));
    if (last) stream.finish(session);
  } else if (stateless() && !stream.opened() && !stream.batch) {
    answer_at_once(stream, message, text);
  } else {
    stream.open(session, false);
    keep(stream, std::move(text));
    if (last) stream.finish(session);
  }
  if (last && (stateless() || stream.form() == StdioStream::Form::json)) streams_.erase(number);
  if (failed) give_up();
}

// A stateless answer of one message: HTTP's status says what its error is. Bridge, section 8.1.
void StdioSession::answer_at_once(StdioStream& stream, const StdioMessage& message, const std::string& text) {
  constexpr int kHeaderMismatch = -32020;
  constexpr int kVersionError = -32022;
  const auto code = message.error.value_or(0);
  const bool modern_error = code <= kHeaderMismatch && code >= kVersionError;
  if (stream.discovers && message.error && !modern_error) {
    // Not JSON-RPC, so that the client falls back to `initialize`.
    stream.respond(400, {}, "text/plain; charset=utf-8", "this server does not know the revision 2026-07-28\n");
    owner_.on_not_modern();
    return give_up();
  }
  const auto status = !message.error ? 200 : modern_error ? 400 : code == kUnknownMethod ? 404 : 200;
  stream.respond(status, {}, "application/json", text);
}

const StdioSession::Request* StdioSession::request_of(const StdioMessage& message) const {
  auto key = std::string{};
  if (!message.subscription.empty()) {
    key = id_key(message.subscription);
  } else if (message.kind == Kind::notification && !message.token.empty()) {
    const auto token = tokens_.find(id_key(message.token));
    if (token != tokens_.end()) key = token->second;
  }
  const auto found = requests_.find(key);
  return found == requests_.end() ? nullptr : &found->second;
}

StdioStream* StdioSession::related(const StdioMessage& message) {
  if (const auto* const request = request_of(message)) return find(request->stream);
  StdioStream* oldest = nullptr;
  std::size_t open = 0;
  for (const auto& [number, stream] : streams_) {
    if (number == 0 || stream->form() == StdioStream::Form::json) continue;
    if (!stream->attached() || stream->waiting.empty()) continue;
    if (open++ == 0) oldest = stream.get();
  }
  if (open == 1 || stateless()) return oldest;
  auto& common = stream_at(0);
  return common.attached() || oldest == nullptr ? &common : oldest;
}

void StdioSession::take_other(const StdioMessage& message) {
  std::vector<std::pair<std::string_view, std::string>> parts;
  if (const auto* const request = request_of(message); request != nullptr && stateless()) {
    parts.emplace_back(message.subscription, request->id);
    if (message.kind == Kind::notification) parts.emplace_back(message.token, request->token);
  }
  auto* const stream = related(message);
  if (stream == nullptr || stream->form() == StdioStream::Form::json) return;
  stream->open(id_, primes());
  keep(*stream, with_parts(message, std::move(parts)));
}

void StdioSession::keep(StdioStream& stream, std::string text) {
  const auto size = text.size();
  stream.add(std::move(text));
  if (stateless()) {
    stream.drop_oldest();
    return;
  }
  kept_.push_back({stream.number(), size});
  kept_bytes_ += size;
  while (kept_.size() > 1 && (kept_bytes_ > limits_.replay_bytes || kept_.size() > limits_.replay_events)) {
    const auto oldest = kept_.front();
    kept_.pop_front();
    kept_bytes_ -= oldest.size;
    if (auto* const old = find(oldest.stream)) old->drop_oldest();
    if (oldest.stream != stream.number()) drop_if_over(oldest.stream);
  }
}

void StdioSession::forget(std::map<std::string, Request>::iterator request) {
  if (request == requests_.end()) return;
  const auto token = tokens_.find(request->second.token_key);
  if (token != tokens_.end() && token->second == request->first) tokens_.erase(token);
  requests_.erase(request);
}

void StdioSession::drop_if_over(std::uint64_t number) {
  const auto found = streams_.find(number);
  if (number != 0 && found != streams_.end() && found->second->over()) streams_.erase(found);
}

// A client that reads slowly slows the process down.
void StdioSession::update_reading() {
  if (over_) return;
  const bool room =
      std::all_of(streams_.begin(), streams_.end(), [](const auto& item) { return item.second->writable(); });
  if (room == !paused_) return;
  paused_ = !room;
  if (paused_) {
    process_->stdio().pause_reading();
  } else {
    process_->stdio().resume_reading();
  }
}

// --- Time and end

void StdioSession::on_tick(Time now) {
  constexpr Duration kHeadWait = std::chrono::seconds{10};
  const bool awake = now - kept_alive_ >= kKeepAlive;
  if (awake) kept_alive_ = now;
  for (const auto& [number, stream] : streams_) {
    // Whoever waits for a head gives up some time: from here on the status is 200.
    if (stateless() && !stream->opened() && !stream->discovers && now - stream->since >= kHeadWait) {
      stream->open({}, false);
    }
    if (awake) stream->keep_alive();
  }
}

void StdioSession::on_closed(const Error*) { give_up(); }

void StdioSession::give_up() {
  if (std::exchange(over_, true)) return;
  for (const auto& [number, stream] : streams_) stream->cut(502, "the service's process has ended");
  owner_.on_session_over(*this);
}

std::unique_ptr<Process> StdioSession::end() {
  over_ = true;
  for (const auto& [number, stream] : streams_) {
    if (stream->opened()) {
      stream->finish(id_);
    } else {
      stream->cut(404, "the session has ended");
    }
  }
  if (exited_) return nullptr;
  process_->stdio().set_handler(nullptr);
  process_->on_end({});
  return std::move(process_);
}

}  // namespace axl::services
