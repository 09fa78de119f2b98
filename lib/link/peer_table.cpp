#include "link/peer_table.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace axl::link {

namespace {

constexpr unsigned kMostAttempts = 32;

}  // namespace

Result<EntryId> PeerTable::add(Uri uri, std::string source_interface) {
  Name name{uri.identity, source_interface};
  if (const auto found = names_.find(name); found != names_.end()) {
    auto& entry = entries_.at(found->second);
    if (entry.state == State::waiting) dial(found->second, entry);
    return Error{Errc::already_exists, "peer is already configured"};
  }
  if (configured_ >= config_.max_links) return Error{Errc::limit_reached, "too many peers are configured"};
  const EntryId id{next_id_++};
  Entry entry;
  entry.uri = std::move(uri);
  entry.source_interface = std::move(source_interface);
  names_.emplace(std::move(name), id);
  ++configured_;
  dial(id, entries_.emplace(id, std::move(entry)).first->second);
  return id;
}

Result<void> PeerTable::remove(std::string_view identity, std::string_view source_interface) {
  const auto name = names_.find(Name{identity, source_interface});
  if (name == names_.end()) return Error{Errc::not_found, "peer is not configured"};
  const auto id = name->second;
  const auto state = entries_.at(id).state;
  // A dial that nobody has polled yet is simply not made.
  const auto unpolled = std::ranges::find_if(outputs_, [id](const Output& output) {
    const auto* dial = std::get_if<Dial>(&output);
    return dial != nullptr && dial->entry == id;
  });
  if (unpolled != outputs_.end()) {
    outputs_.erase(unpolled);
  } else if (state != State::waiting && state != State::stopped) {
    outputs_.emplace_back(Close{id});
  }
  names_.erase(name);
  if (const auto& at = entries_.at(id).dial_at) redials_.erase({*at, id});
  entries_.erase(id);
  --configured_;
  return {};
}

void PeerTable::kick() {
  for (auto& [id, entry] : entries_) {
    if (entry.state == State::waiting) dial(id, entry);
  }
}

Result<EntryId> PeerTable::on_incoming(Scheme scheme, std::string_view remote, std::string_view remote_address,
                                       bool loopback, Time now) {
  if (entries_.size() >= config_.max_links) return Error{Errc::limit_reached, "too many links"};
  if (handshakes_ >= config_.max_handshakes) return Error{Errc::limit_reached, "too many handshakes under way"};
  if (!loopback) {
    auto found = handshakes_per_address_.find(remote_address);
    if (found == handshakes_per_address_.end()) {
      found = handshakes_per_address_.emplace(remote_address, 0).first;
    } else if (found->second >= config_.max_handshakes_per_address) {
      return Error{Errc::limit_reached, "too many handshakes under way from this address"};
    }
    ++found->second;
  }
  ++handshakes_;
  const EntryId id{next_id_++};
  Entry entry;
  entry.state = State::handshake;
  entry.inbound = true;
  entry.uri.scheme = scheme;
  entry.uri.identity = std::string{scheme_name(scheme)} + "://" + std::string{remote};
  if (!loopback) entry.remote_address = remote_address;
  entry.connected_at = now;
  entries_.emplace(id, std::move(entry));
  return id;
}

void PeerTable::on_connected(EntryId id, Time now) {
  const auto found = entries_.find(id);
  if (found == entries_.end() || found->second.state != State::dialling) return;
  found->second.state = State::handshake;
  found->second.connected_at = now;
}

void PeerTable::on_established(EntryId id, const PublicKey& key, std::uint8_t priority) {
  const auto found = entries_.find(id);
  if (found == entries_.end() || found->second.state != State::handshake) return;
  auto& entry = found->second;
  handshake_over(entry);
  entry.state = State::up;
  entry.key = key;
  entry.priority = priority;
  entry.attempts = 0;
  entry.last_error.clear();
  entry.failed_at.reset();
}

void PeerTable::on_ended(EntryId id, const Error& error, bool retry, Time now) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  auto& entry = found->second;
  if (entry.inbound) {
    if (entry.state == State::handshake) handshake_over(entry);
    entries_.erase(found);
    return;
  }
  if (entry.state == State::waiting || entry.state == State::stopped) return;
  entry.attempts = std::min(entry.attempts + 1, kMostAttempts);
  entry.state = retry ? State::waiting : State::stopped;
  if (retry) redials_.emplace(entry.dial_at.emplace(now + backoff(entry)), id);
  entry.connected_at.reset();
  entry.key.reset();
  entry.priority = 0;
  entry.rx_bytes = 0;
  entry.tx_bytes = 0;
  entry.last_error = error.text();
  entry.failed_at = now;
}

void PeerTable::set_traffic(EntryId id, std::uint64_t rx_bytes, std::uint64_t tx_bytes) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  found->second.rx_bytes = rx_bytes;
  found->second.tx_bytes = tx_bytes;
}

void PeerTable::on_tick(Time now) {
  while (!redials_.empty() && redials_.begin()->first <= now) {
    const auto id = redials_.begin()->second;
    dial(id, entries_.at(id));
  }
}

std::optional<PeerTable::Output> PeerTable::poll_output() {
  if (outputs_.empty()) return {};
  auto output = std::move(outputs_.front());
  outputs_.pop_front();
  return output;
}

std::optional<Time> PeerTable::next_tick() const {
  if (redials_.empty()) return std::nullopt;
  return redials_.begin()->first;
}

std::vector<PeerTable::Row> PeerTable::rows(Time now) const {
  std::vector<Row> rows;
  rows.reserve(entries_.size());
  for (const auto& [id, entry] : entries_) {
    Row row;
    row.entry = id;
    row.uri = entry.uri.identity;
    row.up = entry.state == State::up;
    row.inbound = entry.inbound;
    row.key = entry.key;
    row.priority = entry.priority;
    row.rx_bytes = entry.rx_bytes;
    row.tx_bytes = entry.tx_bytes;
    if (entry.connected_at) row.uptime = now - *entry.connected_at;
    row.last_error = entry.last_error;
    if (entry.failed_at) row.last_error_ago = now - *entry.failed_at;
    rows.push_back(std::move(row));
  }
  std::ranges::stable_sort(
      rows, [](const Row& a, const Row& b) { return std::tie(a.inbound, a.key) < std::tie(b.inbound, b.key); });
  return rows;
}

void PeerTable::dial(EntryId id, Entry& entry) {
  entry.state = State::dialling;
  if (const auto at = std::exchange(entry.dial_at, std::nullopt)) redials_.erase({*at, id});
  outputs_.emplace_back(Dial{id, entry.uri, entry.source_interface});
}

void PeerTable::handshake_over(Entry& entry) {
  if (!entry.inbound) return;
  --handshakes_;
  if (entry.remote_address.empty()) return;
  const auto found = handshakes_per_address_.find(entry.remote_address);
  if (found != handshakes_per_address_.end() && --found->second == 0) handshakes_per_address_.erase(found);
  entry.remote_address.clear();
}

Duration PeerTable::backoff(const Entry& entry) const {
  const auto longest = entry.uri.max_backoff.value_or(config_.max_backoff);
  const Duration wait = std::chrono::seconds{std::int64_t{1} << entry.attempts};  // 2^32 s still fit
  return std::min(wait, longest);
}

}  // namespace axl::link
