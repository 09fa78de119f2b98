#include "overlay/routing.hpp"

#include "overlay/traffic_scan.hpp"

namespace axl::overlay {

namespace {
// Behind a packet's 33 bytes of session header this puts what it carries on a 4-byte boundary.
constexpr std::size_t kDeliverHeadroom = 3;
// Lookups repeated for one change of a filter.
constexpr std::size_t kMaxRepeats = 64;

SendFrame queued(LinkId link, wire::FrameType type, const PublicKey& source, const PublicKey& dest, bool own,
                 Buffer message) {
  return {link, type, source, dest, own, std::move(message)};
}
}  // namespace

Routing::Routing(const Config& config, const PrivateKey& key, const crypto::Verifier& verify, Duration unix_at_zero,
                 Neighbours& neighbours, Tree& tree, Filters& filters, Outbox& out)
    : config_{config},
      key_{key},
      unix_at_zero_{unix_at_zero},
      neighbours_{neighbours},
      tree_{tree},
      filters_{filters},
      out_{out},
      own_transformed_{transform_key(key.public_key(), config.key_transform)},
      pathfinder_{config, verify},
      next_hop_{tree, neighbours},
      answers_{config.own_answers, config.max_answer_sources} {}

// Sending.

Result<void> Routing::send(const PublicKey& dest, Buffer payload, Time now) {
  if (payload.size() > kMaxPayload) return Error{Errc::too_large, "overlay datagram"};
  if (config_.strict_deliver_to_self && dest == own()) {
    out_.push(Deliver{dest, std::move(payload)});
    return {};
  }
  if (const auto* path = pathfinder_.find(dest)) {
    pathfinder_.keep(dest, payload);
    send_along(dest, path->coords, std::move(payload), now);
    return {};
  }
  send_lookup(dest, now);
  pathfinder_.wait(dest, std::move(payload));
  return {};
}

void Routing::send_lookup(const PublicKey& target, Time now) {
  if (pathfinder_.start_lookup(target, now)) look_up(target, now);
}

void Routing::look_up(const PublicKey& target, Time now) { handle({own(), target, tree_.coords()}, nullptr, now); }

void Routing::send_along(const PublicKey& dest, const wire::Path& path, Buffer payload, Time now) {
  header_.path = path;
  header_.from = tree_.coords();
  header_.source = own();
  header_.dest = dest;
  header_.watermark = kNoWatermark;
  if (const auto link = next_hop_.find(header_.path, header_.watermark)) {
    header_.prepend_to(payload);
    if (payload.size() > wire::kMaxFrameSize) return;  // a long path can make it so; dropped, as a link would
    out_.push(queued(*link, wire::FrameType::traffic, own(), dest, true, std::move(payload)));
  } else if (dest == own()) {
    deliver(dest, std::move(payload), now);
  } else {
    handle(wire::PathBroken{header_.from, kNoWatermark, own(), dest}, now);
  }
}

void Routing::deliver(const PublicKey& source, Buffer payload, Time now) {
  pathfinder_.on_delivered(source, now);
  out_.push(Deliver{source, std::move(payload)});
}

std::optional<LinkId> Routing::next_hop(const PublicKey& dest) {
  const auto* path = pathfinder_.find(dest);
  if (path == nullptr) return std::nullopt;
  auto watermark = kNoWatermark;
  return next_hop_.find(path->coords, watermark);
}

// Lookups.

Result<void> Routing::on_lookup(Neighbour& from, ByteSpan body, Time now) {
  auto lookup = wire::PathLookup::decode(body);
  if (!lookup) return lookup.error();
  if (!filters_.on_tree(from.key) || too_long(lookup->from.size())) return {};
  if (!from.lookups.take(config_.forwarded_lookups, now)) return {};
  handle(*lookup, &from.key, now);
  return {};
}

void Routing::handle(const wire::PathLookup& lookup, const PublicKey* from, Time now) {
  const auto target = transform_key(lookup.dest, config_.key_transform);
  for (const auto& key : filters_.targets(BloomBits{target}, from)) {
    const auto* neighbour = neighbours_.find(key);
    out_.push(queued(neighbour->preferred().id, wire::FrameType::path_lookup, lookup.source, lookup.dest, from == nullptr,
                     lookup.encode()));
  }
  if (target == own_transformed_) answer(lookup, now);
}

void Routing::answer(const wire::PathLookup& lookup, Time now) {
  if (!answers_.take(lookup.source, now)) return;
  const auto unix_time = std::chrono::floor<std::chrono::seconds>(unix_at_zero_ + now.time_since_epoch()).count();
  const auto seq = static_cast<std::uint64_t>(unix_time);
  if (!own_info_ || own_info_->seq != seq || own_info_->path != tree_.coords()) {
    own_info_.emplace();
    own_info_->seq = seq;
    own_info_->path = tree_.coords();
    own_info_->sig = crypto::sign(key_, wire::PathNotify::signed_bytes(seq, own_info_->path));
  }
  handle(wire::PathNotify{lookup.from, kNoWatermark, own(), lookup.source, *own_info_}, now);
}

void Routing::repeat_lookups(const PublicKey& neighbour, const wire::BloomFilter& previous) {
  const auto* entry = neighbours_.find(neighbour);
  if (entry == nullptr) return;
  const auto& filter = filters_.known(neighbour);
  auto targets = pathfinder_.unanswered([&](const BloomBits& bits) { return bits.in(filter) && !bits.in(previous); });
  if (targets.size() > kMaxRepeats) targets.resize(kMaxRepeats);
  for (const auto& target : targets) {
    const wire::PathLookup lookup{own(), target, tree_.coords()};
    out_.push(queued(entry->preferred().id, wire::FrameType::path_lookup, own(), target, true, lookup.encode()));
  }
}

// Notifies and broken notices.

Result<void> Routing::on_notify(ByteSpan body, Time now) {
  auto notify = wire::PathNotify::decode(body);
  if (!notify) return notify.error();
  if (too_long(notify->path.size()) || too_long(notify->info.path.size())) return {};
  handle(*std::move(notify), now);
  return {};
}

void Routing::handle(wire::PathNotify notify, Time now) {
  if (const auto link = next_hop_.find(notify.path, notify.watermark)) {
    out_.push(queued(*link, wire::FrameType::path_notify, notify.source, notify.dest, false, notify.encode()));
    return;
  }
  if (notify.dest != own()) return;
  auto answer = pathfinder_.on_notify(notify, now);
  if (!answer.changed) return;
  out_.push(PathFound{notify.source});
  const auto* path = pathfinder_.find(notify.source);
  if (!answer.resend || path == nullptr) return;
  pathfinder_.keep(notify.source, *answer.resend);
  send_along(notify.source, path->coords, *std::move(answer.resend), now);
}

Result<void> Routing::on_broken(ByteSpan body, Time now) {
  auto broken = wire::PathBroken::decode(body);
  if (!broken) return broken.error();
  if (!too_long(broken->path.size())) handle(*std::move(broken), now);
  return {};
}

void Routing::handle(wire::PathBroken broken, Time now) {
  if (const auto link = next_hop_.find(broken.path, broken.watermark)) {
    out_.push(queued(*link, wire::FrameType::path_broken, broken.source, broken.dest, false, broken.encode()));
    return;
  }
  if (broken.source != own() || !pathfinder_.on_broken(broken.dest)) return;
  if (pathfinder_.repeat_lookup(broken.dest, now)) look_up(broken.dest, now);
}

// Traffic.

Result<void> Routing::on_traffic(ByteSpan message, Time now, const std::shared_ptr<const void>& owner) {
  const auto traffic = TrafficScan::read(message, path_);
  if (!traffic) return Error{Errc::malformed, "malformed Traffic"};
  if (too_long(path_.size()) || too_long(traffic->from_ports())) return {};
  auto watermark = traffic->watermark();
  const auto link = next_hop_.find(path_, watermark);
  if (link && traffic->minimal()) {
    out_.push(queued(*link, wire::FrameType::traffic, traffic->source(), traffic->dest(), false,
                     traffic->with_watermark(watermark)));
    return {};
  }
  if (link) return pass_on_recoded(message.subspan(1), watermark, *link);
  if (traffic->dest() == own()) {
    deliver(traffic->source(),
            owner ? Buffer::view_of(owner, traffic->payload()) : Buffer::copy_of(traffic->payload(), kDeliverHeadroom),
            now);
    return {};
  }
  auto whole = wire::TrafficView::decode(message.subspan(1));
  if (!whole) return whole.error();
  handle(wire::PathBroken{std::move(whole->from), kNoWatermark, whole->source, whole->dest}, now);
  return {};
}

// Numbers in longer forms than needed go on in the shortest, as the reference's do.
Result<void> Routing::pass_on_recoded(ByteSpan body, std::uint64_t watermark, LinkId link) {
  auto traffic = wire::TrafficView::decode(body);
  if (!traffic) return traffic.error();
  auto packet = Buffer::copy_of(traffic->payload, Buffer::kHeadroom);
  wire::TrafficHeader{std::move(traffic->path), std::move(traffic->from), traffic->source, traffic->dest, watermark}
      .prepend_to(packet);
  out_.push(queued(link, wire::FrameType::traffic, traffic->source, traffic->dest, false, std::move(packet)));
  return {};
}

}  // namespace axl::overlay
