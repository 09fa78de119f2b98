#include <axl/convergecast.hpp>
#include <map>
#include <set>
#include <utility>

#include "convergecast/engine.hpp"
#include "node/node_state.hpp"
#include "patterns/carrier.hpp"

namespace axl {

namespace {
convergecast::Config config_of(const Convergecast::Options& options) {
  convergecast::Config config;
  config.new_key = options.new_key;
  return config;
}
}  // namespace

// Lives on the loop, except for its making and its end.
struct Convergecast::State : std::enable_shared_from_this<State> {
  State(Node& its_node, const Options& options)
      : node{its_node},
        host{its_node.state().host()},
        engine{config_of(options), its_node.key(), host.rng(), host.now()} {}

  Result<void> open() {
    timer = host.make_timer([this] {
      engine.on_tick(host.now());
      turn();
    });
    carrier = std::make_shared<patterns::Carrier>(
        node, kPort, convergecast::kMaxBody, [this] { return host.now(); },
        [this](const PublicKey& peer) { return peer == parent || children.contains(peer); },
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

  void close() {
    closed = true;
    node.state().set_place_handler(nullptr);
    carrier->close();
    timer.reset();
    asked.clear();
    answer = nullptr;
    told = nullptr;
  }

  void look_at_tree() {
    const auto place = node.state().place();
    parent = place.parent;
    children = {place.children.begin(), place.children.end()};
    engine.on_tree(place.parent, place.children, host.now());
  }

  void ask(Question question, OutcomeHandler handler) {
    const auto token = engine.ask(std::move(question), host.now());
    if (!token) {
      handler(token.error());
      return;
    }
    asked.emplace(*token, std::move(handler));
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
        if (const auto call = told) call(result->question, result->outcome);
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
    const auto call = answer;
    const auto values = call ? call(wanted.question) : std::vector<Contribution>{};
    if (!engine.contribute(wanted.session, values)) static_cast<void>(engine.contribute(wanted.session, {}));
  }

  void finish(convergecast::Finished& finished) {
    auto found = asked.extract(finished.question);
    if (!found.empty() && found.mapped()) found.mapped()(std::move(finished.outcome));
  }

  Node& node;
  bridge::Host& host;
  convergecast::Engine engine;
  std::unique_ptr<Timer> timer;
  std::shared_ptr<patterns::Carrier> carrier;
  PublicKey parent;
  std::set<PublicKey> children;
  std::map<convergecast::Token, OutcomeHandler> asked;
  QuestionHandler answer;
  ToldHandler told;
  bool turning = false;
  bool closed = false;
};

Convergecast::Convergecast(std::shared_ptr<State> state) noexcept : state_{std::move(state)} {}

Result<std::unique_ptr<Convergecast>> Convergecast::attach(Node& node, Options options) {
  std::shared_ptr<State> state;
  Result<void> opened;
  node.state().loop().run_and_wait([&] {
    state = std::make_shared<State>(node, options);
    opened = state->open();
  });
  if (!opened) return opened.error();
  return std::unique_ptr<Convergecast>{new Convergecast{std::move(state)}};
}

Convergecast::~Convergecast() {
  state_->node.state().loop().run_and_wait([this] { state_->close(); });
}

void Convergecast::on_question(QuestionHandler handler) {
  state_->node.state().loop().run_and_wait([&] { state_->answer = std::move(handler); });
}

void Convergecast::on_told(ToldHandler handler) {
  state_->node.state().loop().run_and_wait([&] { state_->told = std::move(handler); });
}

Result<void> Convergecast::add_merge(const std::string& name, MergeFunction merge) {
  Result<void> added;
  state_->node.state().loop().run_and_wait([&] { added = state_->engine.add_merge(name, std::move(merge)); });
  return added;
}

void Convergecast::ask(Question question, OutcomeHandler handler) {
  state_->node.post([weak = std::weak_ptr{state_}, question = std::move(question), handler = std::move(handler)] {
    if (const auto state = weak.lock(); state && !state->closed) state->ask(question, handler);
  });
}

}  // namespace axl
