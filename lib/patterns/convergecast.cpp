#include <atomic>
#include <axl/convergecast.hpp>
#include <map>
#include <set>
#include <utility>

#include "convergecast/engine.hpp"
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

  void leave(std::uint64_t user) {
    if (closed) return;
    users.erase(user);
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
    users.clear();
  }

  void look_at_tree() {
    const auto place = node.state().place();
    parent = place.parent;
    children = {place.children.begin(), place.children.end()};
    engine.on_tree(place.parent, place.children, host.now());
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
    while (auto output = closed ? std::nullopt : engine.poll_output()) {
      if (auto* sent = std::get_if<convergecast::Send>(&*output)) carrier->send(sent->to, std::move(sent->body));
      if (const auto* wanted = std::get_if<convergecast::Wanted>(&*output)) contribute(*wanted);
      if (auto* finished = std::get_if<convergecast::Finished>(&*output)) finish(*finished);
      if (const auto* result = std::get_if<convergecast::Told>(&*output)) {
        tell(*result);
      }
    }
    turning = false;
    if (closed) return;
    if (const auto next = engine.next_tick()) {
      timer->arm(*next);
    } else {
      timer->cancel();
    }
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
  Result<void> added;
  state_->node.state().loop().run_and_wait([&] { added = state_->engine.add_merge(name, std::move(merge)); });
  return added;
}

void Convergecast::ask(Question question, OutcomeHandler handler) {
  state_->node.post([weak = std::weak_ptr{state_}, user = user_, question = std::move(question),
                     handler = std::move(handler)] {
    const auto state = weak.lock();
    if (state && state->users.contains(user)) state->ask(user, question, handler);
  });
}

}  // namespace axl
