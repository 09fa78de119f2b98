#include "convergecast/engine.hpp"

#include <algorithm>

namespace axl::convergecast {

namespace {

Error not_wanted() { return {Errc::not_found, "no session waits for a value of this node under that nonce"}; }

}  // namespace

Engine::Engine(const Config& config, const PublicKey& own, Rng& rng, Time now)
    : config_{config}, own_{own}, rng_{rng}, started_{now}, tree_{own, now}, asks_{own, config.asks} {}

Result<void> Engine::add_merge(const std::string& name, Merge merge) {
  if (!is_name(name) || !merge) return Error{Errc::invalid_argument, "a merge has a name and a function"};
  if (!merges_.try_emplace(name, std::move(merge)).second) return Error{Errc::already_exists, "merge " + name};
  return {};
}

Result<void> Engine::add_slow_merge(const std::string& name) {
  if (!is_name(name)) return Error{Errc::invalid_argument, "a merge has a name"};
  if (!merges_.try_emplace(name).second) return Error{Errc::already_exists, "merge " + name};
  return {};
}

void Engine::on_tree(const PublicKey& parent, std::span<const PublicKey> children, Time now) {
  tree_.update(parent, children, now);
}

Result<void> Engine::on_message(const PublicKey& from, ByteSpan body, Time now) {
  const auto message = read_body(body);
  if (!message) {
    ++counters_.malformed;
    return message.error();
  }
  Result<void> result;
  if (const auto* ask = std::get_if<Ask>(&*message)) take(from, *ask, now);
  if (const auto* request = std::get_if<Request>(&*message)) take(from, *request, now);
  if (const auto* part = std::get_if<PartView>(&*message)) result = take(from, *part, now);
  if (const auto* decline = std::get_if<Decline>(&*message)) take(from, *decline);
  if (const auto* answer = std::get_if<AnswerView>(&*message)) result = take(from, *answer);
  if (const auto* told = std::get_if<ResultView>(&*message)) result = take(from, *told);
  if (!result) ++counters_.malformed;
  return result;
}

void Engine::on_tick(Time now) {
  while (const auto id = asks_.due(now)) {
    auto& entry = *asks_.find(*id);
    if (now >= entry.until) {
      if (id->first == own_) {
        outputs_.emplace_back(Finished{id->second, entry.busy ? Error{Errc::busy, "too many questions at once"}
                                                              : Error{Errc::timed_out, "no answer from above"}});
      }
      asks_.erase(*id);
    } else {
      asks_.set_due(*id, entry, std::min(entry.until, now + repeat_interval(entry.question.time)));
      pursue(*id, entry, now);
    }
  }
  while (!due_.empty() && due_.begin()->first <= now) {
    const auto nonce = due_.begin()->second;
    auto& session = *find(nonce);
    if (session.done()) {
      forget(nonce);
    } else if (now >= session.deadline()) {
      close(nonce, session);
    } else if (!session.collected() && now >= session.collect_until()) {
      wind_up(nonce, session);
    } else {
      for (const auto& child : session.waited_for()) request(nonce, session, child, now);
      session.resend_at = session.next_resend(now);
      set_due(nonce, session);
    }
  }
}

std::optional<Time> Engine::next_tick() const {
  auto next = asks_.next_due();
  if (!due_.empty()) next = std::min(next.value_or(Time::max()), due_.begin()->first);
  return next;
}

Result<Token> Engine::ask(Question question, Time now) {
  // What goes over the wire in whole milliseconds is here the same.
  question.time = std::chrono::duration_cast<std::chrono::milliseconds>(question.time);
  if (const auto checked = check(question); !checked) return checked.error();
  Token token{};
  rng_.fill(token);
  const Asks::Id id{own_, token};
  auto* entry = asks_.add(id, std::move(question), now);
  if (entry == nullptr) return Error{Errc::limit_reached, "as many questions as there may be wait for their answer"};
  asks_.set_due(id, *entry, std::min(entry->until, now + repeat_interval(entry->question.time)));
  pursue(id, *entry, now);
  return token;
}

void Engine::cancel(const Token& question) { asks_.erase({own_, question}); }

Result<void> Engine::contribute(const Nonce& nonce, const std::vector<Contribution>& values) {
  auto* session = find(nonce);
  if (session == nullptr || !session->wants_own()) return not_wanted();
  auto groups = groups_of(own_, session->question().operation, values);
  if (!groups) return groups.error();
  if (encode_groups(*groups, session->question().operation).size() > kMaxGroupsSize) {
    return Error{Errc::too_large, "the values of one node take at most 126 KiB"};
  }
  session->contribute(std::move(*groups));
  close_if_ready(nonce, *session);
  return {};
}

std::optional<Output> Engine::poll_output() {
  if (outputs_.empty()) return std::nullopt;
  std::optional<Output> first{std::move(outputs_.front())};
  outputs_.pop_front();
  return first;
}

Engine::Stats Engine::stats() const {
  auto stats = counters_;
  stats.running = running_;
  stats.sessions = sessions_.size();
  stats.asks = asks_.size();
  stats.held_bytes = held_bytes_;
  return stats;
}

// Questions on their way up, answers on their way down.

void Engine::take(const PublicKey& from, const Ask& ask, Time now) {
  if (!tree_.is_child(from)) {
    ++counters_.ignored;
    return;
  }
  const Asks::Id id{from, ask.token};
  auto* entry = asks_.find(id);
  if (entry == nullptr) {
    if (tree_.take_ask(from, ask.question.time, rng_, now)) entry = asks_.add(id, ask.question, now);
    if (entry == nullptr) {
      ++counters_.refused;
      refuse(id, Status::busy);
      return;
    }
  }
  pursue(id, *entry, now);
}

// Brings a question on its way, or further on it when it was repeated.
void Engine::pursue(const Asks::Id& id, Asks::Entry& entry, Time now) {
  if (entry.session) {
    const auto* session = find(*entry.session);
    if (session != nullptr && session->done()) answer(id, *session);
  } else if (tree_.is_root()) {
    open(id, entry, now);
  } else {
    entry.sent_to = tree_.parent();
    send(entry.sent_to, encode(Ask{id.second, entry.question}));
  }
}

// A question of ours that finds everybody busy stays, to be asked again until its time is over.
void Engine::refuse(const Asks::Id& id, Status status) {
  auto* entry = asks_.find(id);
  if (id.first == own_ && status == Status::busy && entry != nullptr) {
    entry->busy = true;
    entry->sent_to = {};
    return;
  }
  if (id.first == own_) {
    outputs_.emplace_back(Finished{id.second, Error{Errc::not_supported, "the root does not know the merge"}});
  } else {
    send(id.first, encode_refusal(id.second, status));
  }
  asks_.erase(Asks::Id{id});
}

// `session` is ours, as the root, and done.
void Engine::answer(const Asks::Id& id, const Session& session) {
  if (!session.kept) return;
  if (id.first != own_) {
    send(id.first, encode_answer(id.second, session.marks(), *session.kept));
    return;
  }
  const auto& operation = session.question().operation;
  const auto groups = read_groups(*session.kept, operation, session.marks());
  if (groups) outputs_.emplace_back(Finished{id.second, outcome_of(session.marks(), *groups, operation)});
  asks_.erase(Asks::Id{id});
}

Result<void> Engine::take(const PublicKey& from, const AnswerView& view) {
  const auto ids = asks_.waiting_for(view.token, from);
  if (ids.empty()) ++counters_.ignored;
  for (const auto& id : ids) {
    if (view.status != Status::outcome) {
      refuse(id, view.status);
      continue;
    }
    const auto& operation = asks_.find(id)->question.operation;
    auto groups = read_groups(view.groups, operation, view.marks);
    if (!groups) return groups.error();
    if (id.first != own_) {
      send(id.first, encode_answer(id.second, view.marks, view.groups));
    } else {
      outputs_.emplace_back(Finished{id.second, outcome_of(view.marks, *groups, operation)});
      asks_.erase(id);
    }
  }
  return {};
}

Outcome outcome_of(const Marks& marks, const Groups& groups, const Operation& operation) {
  Outcome outcome;
  outcome.groups = aggregates(groups, operation);
  outcome.contributed = marks.contributed;
  outcome.abstained = marks.abstained;
  outcome.missing = marks.missing;
  outcome.missing_keys = marks.missing_keys;
  outcome.settling = marks.settling;
  outcome.truncated = marks.truncated;
  return outcome;
}

}  // namespace axl::convergecast
