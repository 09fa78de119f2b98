#include "overlay/protocol.hpp"

#include <algorithm>

namespace axl::overlay {

using wire::FrameType;

Protocol::Protocol(const Config& config, const PrivateKey& key, crypto::Verifier verify, Rng& rng,
                   Duration unix_at_zero)
    : config_{config},
      key_{key},
      verify_{std::move(verify)},
      tree_{config_, key_, verify_, rng, neighbours_},
      filters_{config_, key_.public_key()},
      routing_{config_, key_, verify_, unix_at_zero, neighbours_, tree_, filters_, out_} {}

// Links (8.9).

Result<PeerPort> Protocol::link_up(LinkId id, const PublicKey& key, std::uint8_t priority) {
  if (key == own_key()) return Error{Errc::refused, "the neighbour has our own key"};
  auto added = neighbours_.add_link(id, key, priority);
  if (!added) return added.error();
  auto& neighbour = *added->neighbour;
  if (added->first) {
    filters_.add(key);
    new_neighbour_ = true;
  } else {
    for (const auto* announce : tree_.held(neighbour)) out_.send_direct(id, FrameType::announce, announce->encode());
  }
  out_.send_direct(id, FrameType::sig_req, tree_.request(neighbour).encode());
  out_.send_direct(id, FrameType::bloom_filter, filters_.sent(key).encode());
  return neighbour.port;
}

void Protocol::link_down(LinkId id) {
  auto* neighbour = neighbours_.by_link(id);
  if (neighbour == nullptr) return;
  neighbours_.remove_link(id);
  owing_.erase(id);
  if (!neighbour->links.empty()) {
    send_filter(*neighbour);
    return;
  }
  const auto key = neighbour->key;
  tree_.forget(*neighbour);
  filters_.remove(key);
  neighbours_.remove_if_gone(key);
  hurry_ = true;  // it may have been our parent, and another may be ready to take its place
}

// Messages (14).

Result<void> Protocol::message(LinkId id, ByteSpan message, Time now, std::optional<Duration> rtt,
                               const std::shared_ptr<const void>& owner) {
  auto* from = neighbours_.by_link(id);
  if (from == nullptr) return Error{Errc::not_found, "no such link"};
  if (message.empty()) return Error{Errc::malformed, "empty message"};
  const auto body = message.subspan(1);
  switch (static_cast<FrameType>(message.front())) {
    case FrameType::dummy:
    case FrameType::keepalive: return {};
    case FrameType::sig_req: return on_sig_req(*from, id, body, now);
    case FrameType::sig_res: return on_sig_res(*from, id, body, rtt);
    case FrameType::announce: return on_announce(*from, id, body, now);
    case FrameType::bloom_filter: return on_filter(*from, body);
    case FrameType::path_lookup: return routing_.on_lookup(*from, body, now);
    case FrameType::path_notify: return routing_.on_notify(body, now);
    case FrameType::path_broken: return routing_.on_broken(body, now);
    case FrameType::traffic: return routing_.on_traffic(message, now, owner);
  }
  return Error{Errc::malformed, "unknown message type"};
}

Result<void> Protocol::on_sig_req(Neighbour& from, LinkId id, ByteSpan body, Time now) {
  const auto request = wire::SigReq::decode(body);
  if (!request) return request.error();
  auto& link = *from.link(id);
  if (link.owed.empty() && link.sig_res.take(config_.sig_res, now)) {
    out_.send_direct(id, FrameType::sig_res, tree_.answer(from, *request).encode());
    return {};
  }
  // Signing costs us more than asking costs them: beyond a rate the answers wait, and then the link has to go.
  if (link.owed.size() >= config_.max_delayed_sig_res) return Error{Errc::limit_reached, "too many SigReq"};
  link.owed.push_back(*request);
  owing_.insert(id);
  return {};
}

void Protocol::send_owed(Time now) {
  std::erase_if(owing_, [&](LinkId id) {
    auto& neighbour = *neighbours_.by_link(id);
    auto& link = *neighbour.link(id);
    while (!link.owed.empty() && link.sig_res.take(config_.sig_res, now)) {
      out_.send_direct(id, FrameType::sig_res, tree_.answer(neighbour, link.owed.front()).encode());
      link.owed.pop_front();
    }
    return link.owed.empty();
  });
}

Result<void> Protocol::on_sig_res(Neighbour& from, LinkId id, ByteSpan body, std::optional<Duration> rtt) {
  const auto response = wire::SigRes::decode(body);
  if (!response) return response.error();
  auto& link = *from.link(id);
  const auto outcome = tree_.on_sig_res(from, link, *response, rtt);
  if (!outcome) return outcome.error();
  if (*outcome == Tree::Response::ignored) return {};
  if (!link.proven) {
    link.proven = true;
    out_.push(LinkProven{id});
    hurry_ = true;
  }
  // A neighbour can be our parent only now: worth a look if we wait for one, or it knows a better root.
  if (*outcome == Tree::Response::stored &&
      (tree_.flags().refresh || tree_.flags().root1 || tree_.position(from).root < tree_.position().root)) {
    hurry_ = true;
  }
  return {};
}

Result<void> Protocol::on_announce(Neighbour& from, LinkId id, ByteSpan body, Time now) {
  const auto announce = wire::Announce::decode(body);
  if (!announce) return announce.error();
  const auto verdict = tree_.on_announce(from, *announce, now);
  if (!verdict) return verdict.error();
  if (*verdict == Tree::Verdict::accepted) hurry_ = true;
  if (*verdict == Tree::Verdict::send_ours_back) {
    out_.send_direct(id, FrameType::announce, tree_.infos().find(announce->key)->announce.encode());
  }
  return {};
}

Result<void> Protocol::on_filter(Neighbour& from, ByteSpan body) {
  const auto filter = wire::BloomFilter::decode(body);
  if (!filter) return filter.error();
  wire::BloomFilter previous;
  const auto change = filters_.received(from.key, *filter, previous);
  if (change == Filters::Change::none) return {};
  hurry_ = true;
  if (config_.repeat_lookups && change == Filters::Change::bits_added && filters_.on_tree(from.key)) {
    routing_.repeat_lookups(from.key, previous);
  }
  return {};
}

// The tick (8.6).

void Protocol::tick(Tree::TickKind kind, Time now) {
  if (tree_.choose_parent(kind, now)) send_requests();
  send_announces();
  const auto result =
      filters_.tick([this](const PublicKey& key) { return tree_.on_tree(key); }, kind == Tree::TickKind::regular);
  for (const auto& key : result.send) send_filter(*neighbours_.find(key));
  if (!config_.repeat_lookups) return;
  for (const auto& key : result.joined) routing_.repeat_lookups(key, {});
}

void Protocol::send_requests() {
  tree_.start_round();
  for (auto& [key, neighbour] : neighbours_.all()) {
    for (const auto& link : neighbour.links) {
      out_.send_direct(link.id, FrameType::sig_req, tree_.request(neighbour).encode());
    }
  }
}

void Protocol::send_announces() {
  // What a neighbour has not been sent can only be what has changed, or everything if it is new.
  if (announced_version_ == tree_.infos().version() && !new_neighbour_) return;
  announced_version_ = tree_.infos().version();
  new_neighbour_ = false;
  for (const auto& [key, neighbour] : neighbours_.all()) {
    for (const auto* announce : tree_.unsent(neighbour)) {
      for (const auto& link : neighbour.links) out_.send_direct(link.id, FrameType::announce, announce->encode());
    }
  }
}

void Protocol::send_filter(const Neighbour& neighbour) {
  for (const auto& link : neighbour.links) {
    out_.send_direct(link.id, FrameType::bloom_filter, filters_.sent(neighbour.key).encode());
  }
}

// What is due.

void Protocol::info_due(const PublicKey& key) { tree_.on_due(key); }

void Protocol::run_due(Time now) {
  for (auto due = tree_.infos().next_due(); due && due->first <= now; due = tree_.infos().next_due()) {
    info_due(due->second);
  }
  routing_.pathfinder().on_tick(now);
  send_owed(now);
}

std::optional<Time> Protocol::next_due() const {
  std::optional<Time> next;
  const auto consider = [&next](Time time) { next = next ? std::min(*next, time) : time; };
  if (const auto info = tree_.infos().next_due(); info && info->first != Time::max()) consider(info->first);
  if (const auto path = routing_.pathfinder().next_due()) consider(*path);
  for (const auto id : owing_) {
    consider(neighbours_.by_link(id)->link(id)->sig_res.ready(config_.sig_res));
  }
  return next;
}

}  // namespace axl::overlay
