#include "patterns/pubsub_state.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/expect.hpp"
#include "patterns/old_gossip.hpp"
#include "pubsub/codec.hpp"

namespace axl::patterns {

namespace {

constexpr Duration kLookAgain{std::chrono::seconds{10}};
constexpr Duration kLookAgainAlone{std::chrono::seconds{1}};  // while there is no session
constexpr std::size_t kMostOfTree = 256;  // tree entries that are taken for candidates
constexpr std::uint64_t kNobody = 0;      // no user
constexpr std::string_view kPart = "publish/subscribe";

pubsub::Config engine_config(const PubSubOptions& options) {
  pubsub::Config config;
  config.max_body = options.max_body;
  config.signatures = options.signatures ? pubsub::Signatures::required : pubsub::Signatures::off;
  return config;
}

PubSubMessage public_form(pubsub::Received message) {
  return {std::move(message.topic), message.id.to_hex(), message.origin,         message.signer,
          message.from,             message.hops,        std::move(message.body)};
}

}  // namespace

PubSubState::PubSubState(node::NodeState& node, PubSubOptions options)
    : node_{node},
      options_{std::move(options)},
      scheduler_{node.scheduler()},
      engine_{engine_config(options_), node.private_key(), scheduler_.rng(),
              std::chrono::system_clock::now().time_since_epoch() - scheduler_.now().time_since_epoch()} {}

Result<std::shared_ptr<PubSubState>> PubSubState::of(node::NodeState& node, const PubSubOptions& options,
                                                     std::uint64_t& user) {
  Result<std::shared_ptr<PubSubState>> result = Error{Errc::closed, "the node has been stopped"};
  node.on_loop_and_wait([&] {
    auto state = std::static_pointer_cast<PubSubState>(node.part(kPart));
    if (!state) {
      state = std::make_shared<PubSubState>(node, options);
      if (const auto opened = state->open(); !opened) {
        result = opened.error();
        return;
      }
      node.set_part(std::string{kPart}, state);
    }
    const auto joined = state->join(options);
    if (!joined) {
      result = joined.error();
      return;
    }
    user = *joined;
    result = std::move(state);
  });
  return result;
}

Result<void> PubSubState::open() {
  const std::weak_ptr<PubSubState> weak = weak_from_this();
  const auto listening = node_.listen(options_.port, [weak](Session session) {
    if (const auto self = weak.lock()) self->on_session(std::move(session), false);
  });
  if (!listening) return listening.error();
  timer_ = scheduler_.make_timer([weak] {
    if (const auto self = weak.lock()) self->on_timer();
  });
  refresh_candidates();
  turn();
  return {};
}

// What they say comes between two turns of this, and is carried by the next.
void PubSubState::open_to_old_peers() {
  engine_.welcome_compat();
  old_ = std::make_shared<OldGossip>(
      node_, options_.max_body, OldGossip::Events{
                 .has_session = [this](const PublicKey& peer) { return peers_.contains(peer); },
                 .on_peer =
                     [this](const PublicKey& peer) {
                       engine_.on_peer_connected(peer, pubsub::Form::compat, scheduler_.now());
                       turn();
                     },
                 .on_body =
                     [this](const PublicKey& peer, MessageBody body) {
                       engine_.on_body(peer, std::move(body), scheduler_.now());
                       turn();
                     },
                 .on_writable =
                     [this](const PublicKey& peer) {
                       engine_.on_peer_writable(peer, scheduler_.now());
                       turn();
                     },
                 .on_lost =
                     [this](const PublicKey& peer) {
                       engine_.on_peer_lost(peer, scheduler_.now());
                       turn();
                     }});
  old_->open();
}

void PubSubState::close() {
  if (closed_.exchange(true)) return;
  timer_.reset();
  node_.stop_listening(options_.port);
  if (old_) old_->close();
  subscribers_.clear();
  own_.clear();
  peers_.clear();
}

Result<std::uint64_t> PubSubState::join(const PubSubOptions& options) {
  if (options.port != options_.port || options.signatures != options_.signatures ||
      options.max_body != options_.max_body) {
    return Error{Errc::already_exists, "this node has a PubSub with other options already"};
  }
  for (const auto& peer : options.peers) {
    if (std::ranges::count(options_.peers, peer) == 0) options_.peers.push_back(peer);
  }
  options_.find_peers = options_.find_peers || options.find_peers;
  if (options.legacy && !old_) open_to_old_peers();
  look_again_ = scheduler_.now();
  turn();
  ++users_;
  return next_user_++;
}

void PubSubState::leave(std::uint64_t user) {
  if (closed_) return;
  std::vector<PubSub::Subscription> theirs;
  for (const auto& [id, subscriber] : subscribers_) {
    if (subscriber->user == user) theirs.push_back(id);
  }
  for (const auto id : theirs) unsubscribe(id);
  if (--users_ > 0) return;
  close();
  node_.drop_part(kPart);
}

Result<PubSub::Subscription> PubSubState::subscribe(std::uint64_t user, const std::string& topic,
                                                    PubSub::Handler handler, PubSub::Judge judge) {
  if (closed_) return Error{Errc::closed, "the node has been stopped"};
  const auto others = subscriptions_of(topic);
  const bool judged = judge || std::ranges::any_of(others, [this](const auto other) {
                        return subscribers_.at(other)->judge != nullptr;
                      });
  if (const auto joined = engine_.subscribe(topic, judged, scheduler_.now()); !joined) return joined.error();
  const PubSub::Subscription id{next_subscription_++};
  subscribers_.emplace(id, std::make_shared<const Subscriber>(user, topic, std::move(handler), std::move(judge)));
  turn();
  return id;
}

void PubSubState::unsubscribe(PubSub::Subscription subscription) {
  const auto found = subscribers_.find(subscription);
  if (closed_ || found == subscribers_.end()) return;
  const auto topic = found->second->topic;
  subscribers_.erase(found);
  if (!has_subscribers(topic)) engine_.unsubscribe(topic, scheduler_.now());
  turn();
}

void PubSubState::publish(std::uint64_t user, const std::string& topic, MessageBody body,
                          const PubSub::PublishHandler& handler) {
  if (closed_) return;
  const auto published = engine_.publish(topic, body, scheduler_.now());
  AXL_EXPECT_OR(published, return);  // checked by the caller
  const auto id = published->id.to_hex();
  if (has_subscribers(topic)) {
    const auto& key = node_.key();
    own_.push_back({user, {topic, id, key, options_.signatures ? key : PublicKey{}, key, 0, std::move(body)}});
  }
  if (handler) handler({id, published->peers});
  turn();
}

void PubSubState::refresh_candidates() {
  look_again_ = scheduler_.now() + (peers_.empty() ? kLookAgainAlone : kLookAgain);
  auto keys = options_.peers;
  if (options_.find_peers) {
    const auto topology = node_.whole_topology();
    for (const auto& peer : topology.peers) {
      if (peer.key) keys.push_back(*peer.key);
    }
    for (const auto& entry : topology.tree) {
      if (keys.size() >= options_.peers.size() + kMostOfTree) break;
      keys.push_back(entry.key);
    }
  }
  std::erase(keys, node_.key());
  engine_.set_candidates(keys, scheduler_.now());
}

void PubSubState::on_link_up() {
  if (closed_) return;
  look_again_ = scheduler_.now();  // by the timer: the link's own affairs come first
  turn();
}

void PubSubState::on_timer() {
  if (closed_) return;
  if (scheduler_.now() >= look_again_) refresh_candidates();
  engine_.on_tick(scheduler_.now());
  turn();
}

void PubSubState::dial(const PublicKey& key) {
  if (!node_.bridge().allows(key)) return engine_.on_connect_failed(key, scheduler_.now());
  node_.connect_session(key, options_.port, [weak = weak_from_this(), key](Result<Session> session) {
    const auto self = weak.lock();
    if (!self || self->closed_) return;
    if (session) return self->on_session(*std::move(session), true);
    self->engine_.on_connect_failed(key, self->scheduler_.now());
    self->turn();
  });
}

void PubSubState::on_session(Session session, bool ours) {
  if (closed_) return;
  const auto key = session.peer();
  if (!node_.bridge().allows(key)) return session.abort();
  const auto found = peers_.find(key);
  const bool lower = node_.key() < key;
  if (found != peers_.end() && found->second.ours != ours && ours != lower) return;  // the one that we have stays
  if (old_) old_->forget(key);  // it is of the newer kind
  auto& peer = peers_[key];
  peer = Peer{std::move(session), next_number_++, ours, false};
  hear(key, peer);
  engine_.on_peer_connected(key, pubsub::Form::native, scheduler_.now());
  turn();
}

PubSubState::Peer* PubSubState::current(const PublicKey& key, std::uint64_t number) {
  const auto found = peers_.find(key);
  return closed_ || found == peers_.end() || found->second.number != number ? nullptr : &found->second;
}

void PubSubState::hear(const PublicKey& key, Peer& peer) {
  const auto weak = weak_from_this();
  const auto number = peer.number;
  peer.session.on_message(
      [weak, key, number](MessageBody body) {
        const auto self = weak.lock();
        if (!self || self->current(key, number) == nullptr) return;
        self->engine_.on_body(key, std::move(body), self->scheduler_.now());
        self->turn();
      },
      options_.max_body + pubsub::kMaxMessageOverhead);
  peer.session.on_writable([weak, key, number] {
    const auto self = weak.lock();
    auto* writable = self ? self->current(key, number) : nullptr;
    if (writable == nullptr || !std::exchange(writable->blocked, false)) return;
    self->engine_.on_peer_writable(key, self->scheduler_.now());
    self->turn();
  });
  peer.session.on_end([weak, key, number] {
    const auto self = weak.lock();
    if (auto* ended = self ? self->current(key, number) : nullptr) ended->session.close();
  });
  peer.session.on_closed([weak, key, number](const Error*) {
    const auto self = weak.lock();
    if (!self || self->current(key, number) == nullptr) return;
    self->peers_.erase(key);
    self->engine_.on_peer_lost(key, self->scheduler_.now());
    self->turn();
  });
}

// What handlers do in here is carried by the turn that called them.
void PubSubState::turn() {
  if (closed_ || std::exchange(turning_, true)) return;
  const auto self = shared_from_this();
  while (!closed_) {
    if (!own_.empty()) {
      const auto own = std::move(own_.front());
      own_.pop_front();
      deliver(own.message, own.user);
    } else if (auto output = engine_.poll_output()) {
      take(std::move(*output));
    } else {
      break;
    }
  }
  turning_ = false;
  if (closed_) return;
  const auto next = engine_.next_tick();
  timer_->arm(next ? std::min(*next, look_again_) : look_again_);
}

void PubSubState::take(pubsub::Output output) {
  if (const auto* body = std::get_if<pubsub::SendBody>(&output)) {
    send(*body);
  } else if (auto* message = std::get_if<pubsub::Deliver>(&output)) {
    deliver(public_form(std::move(message->message)), kNobody);
  } else if (auto* undecided = std::get_if<pubsub::Judge>(&output)) {
    const auto id = undecided->message.id;
    judge(id, public_form(std::move(undecided->message)));
  } else if (const auto* wanted = std::get_if<pubsub::Connect>(&output)) {
    dial(wanted->peer);
  } else if (const auto* unwanted = std::get_if<pubsub::Disconnect>(&output)) {
    peers_.erase(unwanted->peer);
    if (old_) old_->forget(unwanted->peer);
  }
}

void PubSubState::send(const pubsub::SendBody& send) {
  if (send.form == pubsub::Form::compat) {
    if (old_ && old_->send(send.peer, send.body)) engine_.on_peer_blocked(send.peer);
    return;
  }
  const auto found = peers_.find(send.peer);
  if (found == peers_.end()) return;
  auto& peer = found->second;
  // What does not fit is lost; the peer is told of it again when there is room.
  static_cast<void>(peer.session.send_message(send.body));
  if (peer.blocked || !peer.session.congested()) return;
  peer.blocked = true;
  engine_.on_peer_blocked(send.peer);
}

bool PubSubState::has_subscribers(const std::string& topic) const {
  return std::ranges::any_of(subscribers_, [&](const auto& entry) { return entry.second->topic == topic; });
}

std::vector<PubSub::Subscription> PubSubState::subscriptions_of(const std::string& topic) const {
  std::vector<PubSub::Subscription> out;
  for (const auto& [id, subscriber] : subscribers_) {
    if (subscriber->topic == topic) out.push_back(id);
  }
  return out;
}

// Handlers may end subscriptions.
void PubSubState::deliver(const PubSubMessage& message, std::uint64_t except) {
  for (const auto id : subscriptions_of(message.topic)) {
    const auto found = subscribers_.find(id);
    if (found == subscribers_.end() || found->second->user == except) continue;
    const auto subscriber = found->second;
    subscriber->handler(message);
  }
}

// The verdict of those who say it at once is there when this returns.
void PubSubState::judge(const pubsub::MessageId& id, const PubSubMessage& message) {
  std::vector<std::shared_ptr<const Subscriber>> judges;
  for (const auto subscription : subscriptions_of(message.topic)) {
    if (const auto& subscriber = subscribers_.at(subscription); subscriber->judge) judges.push_back(subscriber);
  }
  if (judges.empty()) return on_judged(id, pubsub::Verdict::accept);
  const auto judgement = std::make_shared<Judgement>(weak_from_this(), id, judges.size());
  for (const auto& subscriber : judges) {
    if (closed_) return;
    subscriber->judge(message, [judgement, executor = node_.shared_executor(),
                                said = std::make_shared<std::atomic<bool>>(false)](PubSubVerdict verdict) {
      if (said->exchange(true)) return;
      executor->dispatch([judgement, verdict] { judgement->take(verdict); });
    });
  }
}

// One who rejects is enough.
void PubSubState::Judgement::take(PubSubVerdict one) {
  if (waiting == 0) return;
  --waiting;
  if (one == PubSubVerdict::ignore) verdict = pubsub::Verdict::ignore;
  if (one == PubSubVerdict::reject) {
    verdict = pubsub::Verdict::reject;
    waiting = 0;
  }
  if (waiting > 0) return;
  if (const auto self = state.lock()) self->on_judged(id, verdict);
}

void PubSubState::on_judged(const pubsub::MessageId& id, pubsub::Verdict verdict) {
  if (closed_) return;
  engine_.on_judged(id, verdict, scheduler_.now());
  turn();
}

}  // namespace axl::patterns
