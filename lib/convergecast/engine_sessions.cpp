// Requests on their way down, parts on their way up.
#include <algorithm>

#include "convergecast/engine.hpp"

namespace axl::convergecast {

Session* Engine::find(const Nonce& nonce) {
  const auto found = sessions_.find(nonce);
  return found == sessions_.end() ? nullptr : &found->second;
}

bool Engine::knows(const Operation& operation) const {
  return operation.kind != Operation::Kind::custom || merges_.contains(operation.merge);
}

const Merge* Engine::merge_of(const Operation& operation) const {
  const auto found = merges_.find(operation.merge);
  return found == merges_.end() || !found->second ? nullptr : &found->second;
}

bool Engine::is_slow(const Operation& operation) const {
  const auto found = merges_.find(operation.merge);
  return operation.kind == Operation::Kind::custom && found != merges_.end() && !found->second;
}

void Engine::set_due(const Nonce& nonce, Session& session) {
  due_.erase({session.due, nonce});
  const auto end = session.collected() ? session.deadline() : session.collect_until();
  session.due = session.done() ? session.forget_at() : std::min(end, session.resend_at);
  due_.emplace(session.due, nonce);
}

void Engine::forget(const Nonce& nonce) {
  const auto found = sessions_.find(nonce);
  due_.erase({found->second.due, nonce});
  if (found->second.kept) held_bytes_ -= found->second.kept->size();
  sessions_.erase(found);
}

void Engine::keep(Session& session, Bytes bytes) {
  if (held_bytes_ + bytes.size() > config_.max_held_bytes) return;
  held_bytes_ += bytes.size();
  session.kept = std::move(bytes);
}

// A child's question or ours has reached the root, which is this node.
void Engine::open(const Asks::Id& id, Asks::Entry& entry, Time now) {
  std::optional<Status> refusal;
  if (running_ >= config_.max_running || sessions_.size() >= config_.max_sessions) refusal = Status::busy;
  if (!knows(entry.question.operation)) refusal = Status::unsupported;
  if (refusal) {
    refuse(id, *refusal);
    return;
  }
  // The nonce is ours, so that nobody can have the same session asked twice.
  Nonce nonce{};
  rng_.fill(nonce);
  entry.session = nonce;
  begin(nonce, Session{entry.question, own_, own_, entry.question.time, is_slow(entry.question.operation), now}, now);
}

void Engine::begin(const Nonce& nonce, Session opened, Time now) {
  auto& session = sessions_.emplace(nonce, std::move(opened)).first->second;
  ++running_;
  std::size_t asked = 0;
  tree_.each_child([&](const PublicKey& child) {
    if (session.child_budget() == Duration::zero() || asked == config_.max_children) {
      session.miss(child);
      return;
    }
    ++asked;
    session.expect(child);
    request(nonce, session, child, now);
  });
  session.resend_at = session.next_resend(now);
  set_due(nonce, session);
  outputs_.emplace_back(Wanted{nonce, session.question(), session.collect_until()});
}

void Engine::request(const Nonce& nonce, const Session& session, const PublicKey& child, Time now) {
  const auto left = session.child_budget() - (now - session.accepted());
  if (left <= Duration::zero()) return;
  send(child, encode(Request{nonce, session.question().time, left, session.question()}));
}

// Why a session that we do not know is not for us.
std::optional<Reason> Engine::objection(const PublicKey& from, const Request& request, Time now) const {
  if (tree_.is_root() || from != tree_.parent()) return Reason::not_parent;
  if (!config_.new_key && now - started_ < request.life) return Reason::too_new;
  if (running_ >= config_.max_running || sessions_.size() >= config_.max_sessions) return Reason::busy;
  if (!knows(request.question.operation)) return Reason::unsupported;
  return std::nullopt;
}

void Engine::take(const PublicKey& from, const Request& request, Time now) {
  const auto* known = find(request.nonce);
  if (known != nullptr && known->parent() == from && !known->at_root()) {  // said again
    if (known->done() && known->kept) send(from, *known->kept);
    return;
  }
  const auto reason = known != nullptr ? std::optional{Reason::taken} : objection(from, request, now);
  if (reason) {
    ++counters_.declined;
    send(from, encode(Decline{request.nonce, *reason}));
    return;
  }
  const bool slow = is_slow(request.question.operation);
  begin(request.nonce, Session{request.question, own_, from, request.budget, slow, now}, now);
}

Result<void> Engine::take(const PublicKey& from, const PartView& part, Time now) {
  auto* session = find(part.nonce);
  if (session == nullptr || !session->waits_for(from) || now >= session->collect_until()) {
    ++counters_.ignored;
    return {};
  }
  const auto& operation = session->question().operation;
  auto groups = read_groups(part.groups, operation, part.marks);
  if (!groups) {
    session->on_decline(from, Reason::unsupported);
    close_if_ready(part.nonce, *session);
    return groups.error();
  }
  held_bytes_ -= session->held();
  session->on_part(from, part.marks, std::move(*groups), merge_of(operation), config_.max_held_bytes - held_bytes_);
  held_bytes_ += session->held();
  close_if_ready(part.nonce, *session);
  return {};
}

void Engine::take(const PublicKey& from, const Decline& decline) {
  auto* session = find(decline.nonce);
  if (session == nullptr || !session->waits_for(from)) {
    ++counters_.ignored;
    return;
  }
  session->on_decline(from, decline.reason);
  close_if_ready(decline.nonce, *session);
}

void Engine::close_if_ready(const Nonce& nonce, Session& session) {
  if (!session.done() && session.ready()) wind_up(nonce, session);
}

// Closes it, once all values are merged.
void Engine::wind_up(const Nonce& nonce, Session& session) {
  const auto& operation = session.question().operation;
  if (is_slow(operation)) {
    session.stop_collecting();
    if (auto pair = session.fold()) {
      outputs_.emplace_back(Merging{nonce, operation.merge, std::move(pair->first), std::move(pair->second)});
      session.resend_at = session.deadline();
      set_due(nonce, session);
      return;
    }
  }
  close(nonce, session);
}

void Engine::on_merged(const Nonce& nonce, std::optional<Bytes> merged) {
  auto* session = find(nonce);
  if (session == nullptr || session->done() || !session->collected()) return;
  session->on_merged(std::move(merged));
  wind_up(nonce, *session);
}

void Engine::close(const Nonce& nonce, Session& session) {
  const auto& question = session.question();
  // Who left its parent before the parent was asked may have come to another one after that one was: neither knows.
  // Between the two are at most the time of a move and that of the session.
  const bool settling = tree_.changed_at() > session.accepted() - (config_.settle + question.time);
  held_bytes_ -= session.held();
  session.finish(settling, merge_of(question.operation));
  --running_;
  set_due(nonce, session);
  auto groups = encode_groups(session.groups(), question.operation);
  if (!session.at_root()) {
    auto part = encode_part(nonce, session.marks(), groups);
    session.drop_groups();
    send(session.parent(), part);
    keep(session, std::move(part));
    return;
  }
  for (const auto& id : asks_.waiting_for(nonce)) {
    if (id.first != own_) {
      send(id.first, encode_answer(id.second, session.marks(), groups));
    } else {
      outputs_.emplace_back(Finished{id.second, outcome_of(session.marks(), session.groups(), question.operation)});
      asks_.erase(id);
    }
  }
  if (question.tell_all) tell(nonce, session, session.marks(), session.groups(), groups);
  session.drop_groups();
  keep(session, std::move(groups));
}

// The outcome, to this node and to those below it.
void Engine::tell(const Nonce& nonce, Session& session, const Marks& marks, const Groups& groups, ByteSpan encoded) {
  session.told = true;
  const MessageBody body{encode_result(nonce, marks, encoded)};
  for (const auto& child : session.asked()) outputs_.emplace_back(Send{child, body});
  outputs_.emplace_back(Told{session.question(), outcome_of(marks, groups, session.question().operation)});
}

Result<void> Engine::take(const PublicKey& from, const ResultView& result) {
  auto* session = find(result.nonce);
  if (session == nullptr || session->at_root() || session->parent() != from || session->told ||
      !session->question().tell_all) {
    ++counters_.ignored;
    return {};
  }
  const auto groups = read_groups(result.groups, session->question().operation, result.marks);
  if (!groups) return groups.error();
  tell(result.nonce, *session, result.marks, *groups, result.groups);
  return {};
}

}  // namespace axl::convergecast
