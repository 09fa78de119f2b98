#include "http/exchange.hpp"

#include <utility>

#include "core/expect.hpp"
#include "http/exchange_state.hpp"
#include "http/server_connection.hpp"

namespace axl::http {

namespace {

const RequestHead& no_request() noexcept {
  static const RequestHead none;
  return none;
}

const Client& no_client() noexcept {
  static const Client none;
  return none;
}

}  // namespace

Headers text_headers() {
  return {{"Content-Type", "text/plain; charset=utf-8"}, {"X-Content-Type-Options", "nosniff"}};
}

Headers event_stream_headers() {
  return {{"Content-Type", "text/event-stream"},
          {"Cache-Control", "no-store"},
          {"X-Accel-Buffering", "no"},
          {"X-Content-Type-Options", "nosniff"}};
}

Exchange::Exchange(std::shared_ptr<ExchangeState> state) noexcept : state_{std::move(state)} {}

Exchange& Exchange::operator=(Exchange&& other) noexcept {
  if (this != &other) {
    if (state_) release();
    state_ = std::move(other.state_);
  }
  return *this;
}

void Exchange::release() {
  const auto state = std::move(state_);
  state_.reset();
  state->events = nullptr;
  if (state->connection == nullptr) return;
  if (state->answer == ExchangeState::Answer::none) {
    state->connection->respond(*state, 500, text_headers(), Buffer::copy_of(as_bytes("Internal Server Error\n")), {});
  } else if (state->answer == ExchangeState::Answer::begun) {
    state->connection->cut(Error{Errc::closed, "answer not finished"});
  }
}

const RequestHead& Exchange::request() const noexcept { return state_ ? state_->request : no_request(); }
const Client& Exchange::client() const noexcept { return state_ ? state_->client : no_client(); }
bool Exchange::connected() const noexcept { return state_ && state_->connection != nullptr; }
bool Exchange::client_ended() const noexcept { return state_ && state_->client_ended; }

void Exchange::count_answer(StatusCounts* counts) noexcept {
  if (state_) state_->counts = counts;
}

void Exchange::set_events(ExchangeEvents* events) noexcept {
  if (state_) state_->events = events;
}

void Exchange::add_header(FieldName name, std::string_view value) {
  if (state_) state_->added.add(name, value);
}

void Exchange::read_body() {
  if (!connected() || state_->reading) return;
  state_->reading = true;
  state_->connection->body_wanted(*state_);
}

void Exchange::expect_body() {
  if (connected()) state_->connection->expect_body(*state_);
}

std::optional<Buffer> Exchange::take_body(std::size_t most) {
  if (!connected() || state_->reading || finished()) return std::nullopt;
  return state_->connection->take_whole_body(*state_, most);
}

void Exchange::pause_reading() {
  if (state_) state_->paused = true;
}

void Exchange::resume_reading() {
  if (!state_ || !state_->paused) return;
  state_->paused = false;
  if (connected()) state_->connection->body_wanted(*state_);
}

void Exchange::collect(BodyLimits limits, BodyHandler handler) && {
  if (!connected()) return;
  AXL_EXPECT_OR(!state_->reading && !started(), return );
  const auto state = std::move(state_);
  state_.reset();
  state->events = nullptr;
  state->collector = std::make_unique<BodyCollector>(limits, state->request.content_length);
  state->body_handler = std::move(handler);
  state->reading = true;
  state->connection->collect(*state);
}

void Exchange::respond(int status, const Headers& headers, Buffer body, SentHandler sent) {
  if (!connected() && sent) sent(false);
  if (!connected() || started()) return;
  state_->connection->respond(*state_, status, headers, std::move(body), std::move(sent));
}

void Exchange::respond_error(int status, std::string_view text, Headers headers) {
  headers.set("Content-Type", "text/plain; charset=utf-8");
  headers.set("X-Content-Type-Options", "nosniff");
  Buffer body{0, 0, text.size() + 1};
  body.append(as_bytes(text));
  body.append(as_bytes("\n"));
  respond(status, headers, std::move(body));
}

void Exchange::start(int status, const Headers& headers, std::optional<std::uint64_t> length) {
  if (!connected() || started()) return;
  state_->connection->start(*state_, status, headers, length);
}

void Exchange::write(Buffer piece) {
  if (!connected() || !started() || finished()) return;
  state_->connection->write(*state_, std::move(piece));
}

void Exchange::finish(SentHandler sent) {
  if (!connected() && sent) sent(false);
  if (!connected() || !started() || finished()) return;
  state_->connection->finish(*state_, std::move(sent));
}

void Exchange::switch_protocols(const Headers& headers) {
  if (!connected() || started()) return;
  AXL_EXPECT_OR(request().version == Version::http_1_1 && !request().has_body() && !state_->reading, return );
  state_->reading = true;
  state_->connection->switch_protocols(*state_, headers);
}

void Exchange::abort() {
  if (connected() && !finished()) state_->connection->cut(Error{Errc::closed, "answer aborted"});
}

bool Exchange::started() const noexcept { return state_ && state_->answer != ExchangeState::Answer::none; }
bool Exchange::finished() const noexcept { return state_ && state_->answer == ExchangeState::Answer::finished; }
std::uint64_t Exchange::written() const noexcept { return connected() ? state_->connection->written() : 0; }
std::uint64_t Exchange::sent() const noexcept { return connected() ? state_->connection->sent() : 0; }

void Exchange::watch_sent(std::uint64_t count) {
  if (!connected() || finished()) return;
  state_->watched = count;
  state_->connection->sent_watched();
}

std::size_t Exchange::unsent() const noexcept { return connected() ? state_->connection->unsent() : 0; }

bool Exchange::busy() const noexcept { return connected() && state_->connection->busy(); }

bool Exchange::writable() const noexcept {
  if (!connected()) return false;
  const bool room = state_->connection->has_room();
  if (!room) state_->wants_writable = true;
  return room;
}

}  // namespace axl::http
