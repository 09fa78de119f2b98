#include "node/session_flow.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "node/session_state.hpp"

namespace axl::node {

namespace {

constexpr auto kNoLimit = std::numeric_limits<std::size_t>::max();  // the mailbox is bounded by what its items cost

Error ended() { return {Errc::ended, "the peer sends no more"}; }
Error shut_here() { return {Errc::closed, "the session object has been destroyed"}; }
Error other_kind() { return {Errc::invalid_argument, "a session is read as messages or as bytes, not as both"}; }

template <class T>
pull::SourceOf<T> failed(Error error) {
  auto answer = std::make_shared<Answer<T>>();
  answer->set(std::move(error));
  return answer;
}

}  // namespace

SessionFlow::SessionFlow(Session session) : session_{std::move(session)} {}

SessionFlow::~SessionFlow() { over(shut_here()); }

void SessionFlow::listen() {
  const auto weak = weak_from_this();
  if (!session_.valid()) return over(Error{Errc::closed, "this session object holds no session"});
  session_.on_writable([weak] {
    if (const auto self = weak.lock()) self->settle(Event::writable);
  });
  session_.on_drained([weak] {
    if (const auto self = weak.lock()) self->settle(Event::drained);
  });
  session_.on_end([weak] {
    if (const auto self = weak.lock()) self->incoming_.end(ended());
  });
  // Of a node that has gone the session's handlers are dropped.
  auto dropped = at_last_copy([weak] {
    if (const auto self = weak.lock()) self->over(node_stopped());
  });
  session_.on_closed([weak, dropped = std::move(dropped)](const Error* error) {
    if (const auto self = weak.lock()) self->over(error != nullptr ? Result<void>{*error} : Result<void>{});
  });
}

Result<void> SessionFlow::may_block() const {
  return session_.valid() ? session_.state()->executor()->may_block() : Result<void>{};
}

// --- what comes ------------------------------------------------------------------------------------------------------

bool SessionFlow::read_as(Kind kind, bool& first) noexcept {
  auto before = Kind::none;
  first = kind_.compare_exchange_strong(before, kind);
  return first || before == kind;
}

// Until there is a reader the session keeps what comes, so nothing has been missed.
pull::SourceOf<MessageBody> SessionFlow::message(std::size_t max_size) {
  bool first = false;
  if (!read_as(Kind::messages, first)) return failed<MessageBody>(other_kind());
  const auto take = [this](std::deque<Piece>& pieces) {
    auto body = std::move(pieces.front().message);
    pieces.pop_front();
    freed(kPieceCost + body.size());
    return body;
  };
  auto source = take_from(incoming(), take);
  if (!first) return source;
  session_.on_message(
      [weak = weak_from_this()](MessageBody body) {
        if (const auto self = weak.lock()) self->store({.message = std::move(body), .bytes = {}});
      },
      max_size);
  return source;
}

pull::SourceOf<Bytes> SessionFlow::bytes(std::size_t max_size) {
  bool first = false;
  if (!read_as(Kind::bytes, first)) return failed<Bytes>(other_kind());
  const auto take = [this, most = std::max<std::size_t>(1, max_size)](std::deque<Piece>& pieces) {
    auto& [message, bytes, read] = pieces.front();
    const auto size = std::min(bytes.size() - read, most);
    if (size < bytes.size() - read) {
      const auto part = ByteSpan{bytes}.subspan(std::exchange(read, read + size), size);
      freed(size);
      return to_bytes(part);
    }
    auto rest = read == 0 ? std::move(bytes) : to_bytes(ByteSpan{bytes}.subspan(read));
    pieces.pop_front();
    freed(kPieceCost + size);
    return rest;
  };
  auto source = take_from(incoming(), take);
  if (!first) return source;
  session_.on_data([weak = weak_from_this()](Bytes data) {
    if (const auto self = weak.lock()) self->store({.message = {}, .bytes = std::move(data)});
  });
  return source;
}

// On the loop. After `paused_` is set it is looked at again: whoever took something in between saw no pause to end.
void SessionFlow::store(Piece piece) {
  const auto stored = stored_ += cost(piece);
  if (!incoming_.put(std::move(piece), kNoLimit)) return;
  if (stored < kReadAhead || paused_.exchange(true)) return;
  session_.pause();
  freed(0);
}

// Under the mailbox's lock: the session is called by the loop.
void SessionFlow::freed(std::size_t size) {
  const auto before = stored_.fetch_sub(size);
  if (!paused_ || before - size > kReadAhead / 2) return;
  session_.state()->executor()->post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->make_room();
  });
}

void SessionFlow::make_room() {
  if (stored_ <= kReadAhead / 2 && paused_.exchange(false)) session_.resume();
}

// --- what happens ----------------------------------------------------------------------------------------------------

pull::SourceOf<void> SessionFlow::send(MessageBody body) {
  const auto queued = session_.send_message(std::move(body));
  return queued ? wait_for(Event::writable) : failed<void>(queued.error());
}

pull::SourceOf<void> SessionFlow::write(Bytes data) {
  const auto queued = session_.write(std::move(data));
  return queued ? wait_for(Event::writable) : failed<void>(queued.error());
}

// A pause would keep the end from being told; what comes until then is nobody's.
pull::SourceOf<void> SessionFlow::close() {
  incoming_.close({Errc::closed, "the session has been closed here"});
  session_.close();
  session_.resume();
  return wait_for(Event::closed);
}

void SessionFlow::shut() {
  incoming_.close(shut_here());
  over(shut_here());
  session_.close();
  session_.resume();
}

pull::SourceOf<void> SessionFlow::wait_for(Event event) {
  auto answer = std::make_shared<Answer<void>>();
  {
    const std::lock_guard lock{mutex_};
    std::erase_if(waits_, [](const Wait& wait) { return wait.answer.expired(); });
    waits_.push_back({event, answer});
  }
  settle(event);  // asked after that: what happens in between is told by either
  return answer;
}

// Tells those who wait for it, if it is so.
void SessionFlow::settle(Event event) {
  const auto result = outcome(event);
  if (!result) return;
  std::vector<std::shared_ptr<Answer<void>>> told;
  {
    const std::lock_guard lock{mutex_};
    std::erase_if(waits_, [&](const Wait& wait) {
      if (wait.event != event) return false;
      if (auto answer = wait.answer.lock()) told.push_back(std::move(answer));
      return true;
    });
  }
  for (const auto& answer : told) answer->set(*result);
}

std::optional<Result<void>> SessionFlow::outcome(Event event) {
  {
    const std::lock_guard lock{mutex_};
    if (over_ && *over_ && event == Event::writable) return Error{Errc::closed, "the session is closed"};
    if (over_) return over_;
  }
  if (event == Event::writable && !session_.congested()) return Result<void>{};
  if (event == Event::drained && session_.pending() == 0) return Result<void>{};
  return std::nullopt;
}

// The first counts.
void SessionFlow::over(Result<void> result) {
  incoming_.end(result ? ended() : result.error());
  {
    const std::lock_guard lock{mutex_};
    if (over_) return;
    over_ = std::move(result);
  }
  for (const auto event : {Event::writable, Event::drained, Event::closed}) settle(event);
}

}  // namespace axl::node

namespace axl::pull {

std::shared_ptr<Flow> make_flow(Session session) {
  auto flow = std::make_shared<node::SessionFlow>(std::move(session));
  flow->listen();
  return flow;
}

}  // namespace axl::pull
