#include "http/server.hpp"

#include <algorithm>
#include <utility>

namespace axl::http {

namespace {
constexpr Duration kTick = std::chrono::milliseconds{500};  // time-outs are seconds: no need to be exact
}

Server::Server(ServerLimits limits, Executor& executor, RequestHandler handler)
    : limits_{std::move(limits)},
      executor_{executor},
      handler_{std::make_shared<const RequestHandler>(std::move(handler))} {}

Server::~Server() { *alive_ = false; }

void Server::accept(std::unique_ptr<Stream> stream, Client client, Time now) {
  now_ = std::max(now_, now);
  if (draining_) return;
  if (!ticked_) ticked_ = now_;
  const bool counted = has_place(client) || make_place(client);
  if (!counted) {
    ++refused_;
    if (uncounted_ >= limits_.refusals) return;
  }
  const auto id = next_id_++;
  ConnectionOwner& self = *this;
  auto connection = std::make_unique<ServerConnection>(id, std::move(stream), client, limits_.connection, self, now_);
  auto& opened = *connection;
  connections_.emplace(id, Entry{std::move(connection), counted ? Place::counted : Place::refused});
  if (counted) {
    count(client, true);
  } else {
    ++uncounted_;
  }
  opened.open();
}

std::size_t Server::count_of(const std::optional<PublicKey>& key) const {
  if (!key) return counted_;
  const auto found = by_key_.find(*key);
  return found == by_key_.end() ? 0 : found->second;
}

void Server::count(const Client& client, bool arrives) {
  const auto change = [&](std::size_t& number) { number = arrives ? number + 1 : number - 1; };
  change(counted_);
  if (!client.trusted) change(strangers_);
  if (!client.key) return;
  auto& number = by_key_[*client.key];
  change(number);
  if (number == 0) by_key_.erase(*client.key);
}

bool Server::has_place(const Client& client) const {
  if (client.key && count_of(client.key) >= limits_.connections_per_key) return false;
  if (counted_ >= limits_.connections) return false;
  return client.trusted || strangers_ + limits_.reserved < limits_.connections;
}

// Closes an idle connection whose place this client may have. False if there is none.
bool Server::make_place(const Client& client) {
  const bool own_only = client.key && count_of(client.key) >= limits_.connections_per_key;
  Entry* chosen = nullptr;
  std::size_t chosen_holds = 0;
  for (auto& [id, entry] : connections_) {
    const auto& idle = *entry.connection;
    const auto& holder = idle.client();
    if (entry.place != Place::counted || !idle.idle() || now_ - idle.idle_since() < limits_.evict_after) continue;
    if (own_only && holder.key != client.key) continue;
    if (!client.trusted && holder.trusted) continue;
    const auto holds = holder.key ? count_of(holder.key) : 1;
    const bool better = chosen == nullptr || holds > chosen_holds ||
                        (holds == chosen_holds && idle.idle_since() < chosen->connection->idle_since());
    if (better) {
      chosen = &entry;
      chosen_holds = holds;
    }
  }
  if (chosen == nullptr) return false;
  chosen->place = Place::leaving;  // its place is free now; closing may take a while
  ++uncounted_;
  count(chosen->connection->client(), false);
  chosen->connection->drain();
  return has_place(client);
}

void Server::on_request(ServerConnection& connection, Exchange exchange) {
  if (connections_.at(connection.id()).place == Place::refused) {
    exchange.respond_error(503, "Too many connections", {{"Retry-After", "1"}, {"Connection", "close"}});
    return;
  }
  const auto handler = handler_;  // it may destroy this server
  (*handler)(std::move(exchange));
}

void Server::on_ready(ServerConnection& connection) {
  ready_.push_back(connection.id());
  if (posted_) return;
  posted_ = true;
  executor_.post([this, alive = alive_] {
    if (*alive) run_ready();
  });
}

void Server::run_ready() {
  const auto alive = alive_;
  posted_ = false;
  running_.clear();
  running_.swap(ready_);
  for (std::size_t i = 0; i < running_.size(); ++i) {
    const auto found = connections_.find(running_[i]);
    if (found != connections_.end()) found->second.connection->process();
    if (!*alive) return;
  }
}

void Server::on_gone(ServerConnection& connection) {
  const auto found = connections_.find(connection.id());
  if (found == connections_.end()) return;
  if (found->second.place == Place::counted) {
    count(connection.client(), false);
  } else {
    --uncounted_;
  }
  const auto gone = std::move(found->second.connection);
  connections_.erase(found);
  if (connections_.empty()) ticked_.reset();
}

// An answer for a key that has nothing waiting needs room among all only, and the first of all needs none.
bool Server::may_wait(const ServerConnection& connection, std::size_t bytes) const {
  if (limits_.unsent == SIZE_MAX && limits_.unsent_per_key == SIZE_MAX) return true;
  std::size_t all = 0;
  std::size_t own = 0;
  for (const auto& [id, entry] : connections_) {
    const auto waiting = entry.connection->unsent();
    all += waiting;
    if (entry.connection->client().key == connection.client().key) own += waiting;
  }
  const auto fits = [bytes](std::size_t waiting, std::size_t limit) {
    return waiting == 0 || (waiting <= limit && bytes <= limit - waiting);
  };
  return fits(all, limits_.unsent) && fits(own, limits_.unsent_per_key);
}

template <class Act>
void Server::for_each(Act act) {
  const auto alive = alive_;
  std::vector<std::uint64_t> ids;
  ids.reserve(connections_.size());
  for (const auto& [id, entry] : connections_) ids.push_back(id);
  for (const auto id : ids) {
    const auto found = connections_.find(id);
    if (found != connections_.end()) act(*found->second.connection);
    if (!*alive) return;
  }
}

std::optional<Time> Server::next_tick() const noexcept {
  if (!ticked_) return std::nullopt;
  return *ticked_ + kTick;
}

void Server::on_tick(Time now) {
  now_ = std::max(now_, now);
  if (!ticked_ || now_ < *ticked_ + kTick) return;
  ticked_ = now_;
  for_each([at = now_](ServerConnection& connection) { connection.on_tick(at); });
}

void Server::drain() {
  draining_ = true;
  for_each([](ServerConnection& connection) { connection.drain(); });
}

std::size_t Server::answering() const noexcept {
  return static_cast<std::size_t>(std::count_if(connections_.begin(), connections_.end(),
                                                [](const auto& item) { return item.second.connection->answering(); }));
}

}  // namespace axl::http
