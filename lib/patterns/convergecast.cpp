#include <algorithm>
#include <atomic>
#include <axl/convergecast.hpp>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "convergecast/engine.hpp"
#include "convergecast/old_runs.hpp"
#include "node/node_state.hpp"
#include "patterns/carrier.hpp"

namespace axl {

namespace {

constexpr std::string_view kPart = "convergecast";

convergecast::Config config_of(Node& node, const Convergecast::Options& options) {
  convergecast::Config config;
  config.new_key = options.new_key || node.state().has_new_key();
  return config;
}

}  // namespace

// What the Convergecasts of a node share: made by the first, closed by the last. Lives on the loop.
struct Convergecast::State final : node::Part, std::enable_shared_from_this<State> {
  struct User {
    SlowQuestionHandler answer;
    ToldHandler told;
    std::vector<std::shared_ptr<const MergeFunction>> merges;
  };
  struct OldAsked {
    std::uint64_t user = 0;
    OldOutcomeHandler handler;
  };
  struct Merger {
    std::uint64_t user = 0;
    SlowMergeFunction merge;
  };
  struct Asked {
    std::uint64_t user = 0;
    OutcomeHandler handler;
  };

  State(Node& its_node, const Options& options)
      : node{its_node},
        host{its_node.state().host()},
        engine{config_of(its_node, options), its_node.key(), host.rng(), host.now()} {}

  Result<void> open() {
    timer = host.make_timer([this] {
      engine.on_tick(host.now());
      if (old) old->on_tick(host.now());
      turn();
    });
    carrier = std::make_shared<patterns::Carrier>(
        node, kPort, convergecast::kMaxBody, [this] { return host.now(); },
        [this](const PublicKey& peer) {
          return (peer == parent || children.contains(peer)) && node.state().bridge().allows(peer);
        },
        [this](const PublicKey& from, ByteSpan body) {
          auto heard = engine.on_message(from, body, host.now());
          turn();
          return heard;
        });
    if (auto listening = carrier->listen(); !listening) return listening;
    look_at_tree();
    node.state().set_place_handler([this] { look_at_tree(); });
    return {};
  }

  void on_node_stop() override { close(); }

  void open_to_old_peers() {
    old.emplace(node.key(), host.now());
    look_at_tree();
    old_messages = node.state().router().on_message(
        [this](const Message& message) {
          if (!message.topic.empty() || !children.contains(message.sender)) return false;
          const auto part = convergecast::read_old_part(message.body);
          return part && part->from == message.sender;
        },
        [this](const Message& message) {
          old->on_message(message.sender, message.body, host.now());
          turn();
        });
  }

  void join_old(std::uint64_t user, const std::string& session, const std::vector<Contribution>& values, Duration time,
                const OldOutcomeHandler& handler) {
    if (!old) return handler(Error{Errc::not_supported, "sessions of the older kind are off"});
    // Before it starts: it may end at once.
    const bool runs = old_asked.contains(session);
    if (!runs) old_asked.emplace(session, OldAsked{user, handler});
    const auto started = old->start(session, values, time, host.now());
    if (!started) {
      if (!runs) old_asked.erase(session);
      return handler(started.error());
    }
    turn();
  }

  void leave(std::uint64_t user) {
    if (closed) return;
    users.erase(user);
    std::erase_if(old_asked, [&](const auto& entry) { return entry.second.user == user; });
    std::erase_if(mergers, [&](const auto& entry) { return entry.second.user == user; });
    std::erase_if(asked, [&](const auto& entry) {
      if (entry.second.user != user) return false;
      engine.cancel(entry.first);
      return true;
    });
    if (!users.empty()) return;
    close();
    node.state().drop_part(kPart);
  }

  void close() {
    if (std::exchange(closed, true)) return;
    node.state().set_place_handler(nullptr);
    carrier->close();
    timer.reset();
    asked.clear();
    mergers.clear();
    users.clear();
    old_asked.clear();
    if (old) node.state().router().remove(old_messages);
  }

  void look_at_tree() {
    const auto place = node.state().place();
    parent = place.parent;
    children = {place.children.begin(), place.children.end()};
    engine.on_tree(place.parent, place.children, host.now());
    if (old) old->on_tree(place.parent, place.children, host.now());
  }

  void ask(std::uint64_t user, Question question, OutcomeHandler handler) {
    const auto token = engine.ask(std::move(question), host.now());
    if (!token) {
      handler(token.error());
      return;
    }
    asked.emplace(*token, Asked{user, std::move(handler)});
    turn();
  }

  // Carries what the engine has to say until it has nothing more; handlers may call back in.
  void turn() {
    if (std::exchange(turning, true)) return;
    while (!closed) {
      if (auto output = old ? old->poll_output() : std::nullopt) {
        take(*output);
        continue;
      }
      auto output = engine.poll_output();
      if (!output) break;
      if (auto* sent = std::get_if<convergecast::Send>(&*output)) carrier->send(sent->to, std::move(sent->body));
      if (const auto* wanted = std::get_if<convergecast::Wanted>(&*output)) contribute(*wanted);
      if (auto* merging = std::get_if<convergecast::Merging>(&*output)) merge(std::move(*merging));
      if (auto* finished = std::get_if<convergecast::Finished>(&*output)) finish(*finished);
      if (const auto* result = std::get_if<convergecast::Told>(&*output)) {
        tell(*result);
      }
    }
    turning = false;
    if (closed) return;
    auto next = engine.next_tick();
    if (const auto old_next = old ? old->next_tick() : std::nullopt) next = std::min(next.value_or(*old_next), *old_next);
    if (next) {
      timer->arm(*next);
    } else {
      timer->cancel();
    }
  }

  void take(convergecast::OldOutput& output) {
    if (auto* sent = std::get_if<convergecast::OldSend>(&output)) {
      node.state().bridge().send(sent->to, MessageBody{std::move(sent->body)}, {}, [](const Result<SendReport>&) {});
      return;
    }
    auto& finished = std::get<convergecast::OldFinished>(output);
    const auto found = old_asked.extract(finished.session);
    if (found.empty()) return;
    OldOutcome outcome;
    outcome.is_root = finished.is_root;
    for (auto& [name, value] : finished.data) outcome.values.push_back({std::move(name), value});
    outcome.received_from = std::move(finished.received_from);
    outcome.missing = std::move(finished.missing);
    found.mapped().handler(std::move(outcome));
  }

  void contribute(const convergecast::Wanted& wanted) {
    contribute(wanted.session, wanted.question, user_ids());
  }

  // The first of these users that has something to say speaks; each may take its time.
  void contribute(const convergecast::Nonce& session, const Question& question, std::vector<std::uint64_t> ids) {
    SlowQuestionHandler call;
    while (!call && !ids.empty()) {
      const auto user = users.find(ids.front());
      ids.erase(ids.begin());
      if (user != users.end()) call = user->second.answer;
    }
    if (!call) return contribute(session, {});
    call(question, [weak = weak_from_this(), executor = node.state().shared_executor(), session, question,
                    rest = std::move(ids), said = std::make_shared<std::atomic<bool>>(false)](
                       std::vector<Contribution> values) {
      if (said->exchange(true)) return;
      executor->dispatch([weak, session, question, rest, values = std::move(values)] {
        const auto state = weak.lock();
        if (!state || state->closed) return;
        if (values.empty()) return state->contribute(session, question, rest);
        state->contribute(session, values);
      });
    });
  }

  void contribute(const convergecast::Nonce& session, const std::vector<Contribution>& values) {
    if (!engine.contribute(session, values)) static_cast<void>(engine.contribute(session, {}));
    turn();
  }

  // The name of a merge stays known when who has brought it is gone: then nothing goes together.
  void merge(convergecast::Merging merging) {
    const auto merger = mergers.find(merging.merge);
    if (merger == mergers.end()) return engine.on_merged(merging.session, std::nullopt);
    const auto call = merger->second.merge;
    call(std::move(merging.first), std::move(merging.second),
         [weak = weak_from_this(), executor = node.state().shared_executor(), session = merging.session,
          said = std::make_shared<std::atomic<bool>>(false)](std::optional<Bytes> merged) {
           if (said->exchange(true)) return;
           executor->dispatch([weak, session, merged = std::move(merged)] {
             const auto state = weak.lock();
             if (!state || state->closed) return;
             state->engine.on_merged(session, merged);
             state->turn();
           });
         });
  }

  void finish(convergecast::Finished& finished) {
    auto found = asked.extract(finished.question);
    if (!found.empty() && found.mapped().handler) found.mapped().handler(std::move(finished.outcome));
  }

  void tell(const convergecast::Told& result) {
    for (const auto id : user_ids()) {
      const auto user = users.find(id);
      if (user == users.end() || !user->second.told) continue;
      const auto call = user->second.told;
      call(result.question, result.outcome);
    }
  }

  // Handlers may bring new users.
  [[nodiscard]] std::vector<std::uint64_t> user_ids() const {
    std::vector<std::uint64_t> out;
    for (const auto& [id, user] : users) out.push_back(id);
    return out;
  }

  Node& node;
  bridge::Host& host;
  convergecast::Engine engine;
  std::unique_ptr<Timer> timer;
  std::shared_ptr<patterns::Carrier> carrier;
  PublicKey parent;
  std::set<PublicKey> children;
  std::map<convergecast::Token, Asked> asked;
  std::optional<convergecast::OldRuns> old;  // none: they take no part
  Router::HandlerId old_messages{};
  std::map<std::string, OldAsked> old_asked;
  std::map<std::string, Merger> mergers;  // by the names of merges
  std::map<std::uint64_t, User> users;  // in the order of their making
  std::uint64_t next_user = 1;
  bool turning = false;
  bool closed = false;
};

Convergecast::Convergecast(std::shared_ptr<State> state, std::uint64_t user) noexcept
    : state_{std::move(state)}, user_{user} {}

Result<std::unique_ptr<Convergecast>> Convergecast::attach(Node& node, Options options) {
  std::shared_ptr<State> state;
  std::uint64_t user = 0;
  Result<void> opened = Error{Errc::closed, "the node has been stopped"};
  node.state().on_loop_and_wait([&] {
    opened = {};
    state = std::static_pointer_cast<State>(node.state().part(kPart));
    if (!state) {
      state = std::make_shared<State>(node, options);
      opened = state->open();
      if (!opened) return;
      node.state().set_part(std::string{kPart}, state);
    }
    if (options.legacy && !state->old) state->open_to_old_peers();
    user = state->next_user++;
    state->users[user];
  });
  if (!opened) return opened.error();
  return std::unique_ptr<Convergecast>{new Convergecast{std::move(state), user}};
}

Convergecast::~Convergecast() {
  state_->node.state().loop().run_and_wait([this] { state_->leave(user_); });
}

void Convergecast::on_question(QuestionHandler handler) {
  if (!handler) return on_question_slowly({});
  on_question_slowly(
      [handler = std::move(handler)](const Question& question, const Answer& answer) { answer(handler(question)); });
}

void Convergecast::on_question_slowly(SlowQuestionHandler handler) {
  state_->node.state().loop().run_and_wait([&] {
    if (!state_->closed) state_->users[user_].answer = std::move(handler);
  });
}

void Convergecast::on_told(ToldHandler handler) {
  state_->node.state().loop().run_and_wait([&] {
    if (!state_->closed) state_->users[user_].told = std::move(handler);
  });
}

Result<void> Convergecast::add_merge(const std::string& name, MergeFunction merge) {
  if (!merge) return Error{Errc::invalid_argument, "a merge has a function"};
  const auto own = std::make_shared<const MergeFunction>(std::move(merge));
  Result<void> added;
  state_->node.state().loop().run_and_wait([&] {
    added = state_->engine.add_merge(name, [weak = std::weak_ptr{own}](ByteSpan first, ByteSpan second) {
      const auto call = weak.lock();
      return call ? (*call)(first, second) : std::nullopt;
    });
    if (added && !state_->closed) state_->users[user_].merges.push_back(own);
  });
  return added;
}

Result<void> Convergecast::add_merge_slowly(const std::string& name, SlowMergeFunction merge) {
  if (!merge) return Error{Errc::invalid_argument, "a merge has a function"};
  Result<void> added;
  state_->node.state().loop().run_and_wait([&] {
    added = state_->engine.add_slow_merge(name);
    if (added) state_->mergers[name] = {user_, std::move(merge)};
  });
  return added;
}

void Convergecast::ask(Question question, OutcomeHandler handler) {
  state_->node.post([weak = std::weak_ptr{state_}, user = user_, question = std::move(question),
                     handler = std::move(handler)] {
    const auto state = weak.lock();
    if (state && state->users.contains(user)) state->ask(user, question, handler);
  });
}

void Convergecast::join_old(std::string session, std::vector<Contribution> values, Duration time,
                            OldOutcomeHandler handler) {
  state_->node.post([weak = std::weak_ptr{state_}, user = user_, session = std::move(session),
                     values = std::move(values), time, handler = std::move(handler)] {
    const auto state = weak.lock();
    if (state && state->users.contains(user)) state->join_old(user, session, values, time, handler);
  });
}

}  // namespace axl
