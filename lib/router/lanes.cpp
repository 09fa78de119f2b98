#include "router/lanes.hpp"

#include "crypto/partial_key.hpp"

namespace axl::router {

bool selects(const std::optional<PublicKey>& wanted, const PublicKey& sender) {
  if (!wanted || *wanted == sender) return true;
  return is_partial(*wanted) && Address::of(*wanted) == Address::of(sender);
}

void Lanes::add(EntryId id, const Message& message) {
  auto& lane = lanes_[message.topic];
  lane.ready.emplace_hint(lane.ready.end(), id, message.sender);
  lane.ready_of.emplace(Address::of(message.sender), id);
  if (reader_for(lane, message.sender)) refresh(message.topic, lane, id);
}

void Lanes::remove(EntryId id, const Message& message) {
  const auto found = lanes_.find(message.topic);
  if (found == lanes_.end()) return;
  auto& lane = found->second;
  lane.ready.erase(id);
  const auto address = Address::of(message.sender);
  lane.ready_of.erase({address, id});
  if (fresh_.erase(id) > 0) {  // others may have waited for the same one
    if (!lane.readers.empty()) refresh(message.topic, lane, oldest_in(lane, {}));
    if (lane.readers_of.contains(address)) refresh(message.topic, lane, oldest_in(lane, address.partial_key()));
  }
  drop_if_unused(found);
}

std::size_t Lanes::ready(std::string_view topic) const {
  const auto lane = lanes_.find(topic);
  return lane == lanes_.end() ? 0 : lane->second.ready.size();
}

std::optional<EntryId> Lanes::oldest(const Selection& wanted) const {
  const auto lane = lanes_.find(wanted.topic);
  return lane == lanes_.end() ? std::nullopt : oldest_in(lane->second, wanted.sender);
}

std::optional<EntryId> Lanes::oldest_in(const Lane& lane, const std::optional<PublicKey>& sender) {
  if (!sender) return lane.ready.empty() ? std::nullopt : std::optional{lane.ready.begin()->first};
  const auto address = Address::of(*sender);
  for (auto item = lane.ready_of.lower_bound({address, EntryId{0}}); item != lane.ready_of.end(); ++item) {
    if (item->first != address) break;
    if (selects(sender, lane.ready.at(item->second))) return item->second;  // the first, unless addresses collide
  }
  return {};
}

ReaderId Lanes::wait(const Selection& wanted) {
  const ReaderId id{next_reader_++};
  readers_.emplace_hint(readers_.end(), id, wanted);
  auto& lane = lanes_[wanted.topic];
  if (wanted.sender) {
    lane.readers_of[Address::of(*wanted.sender)].insert(id);
  } else {
    lane.readers.insert(id);
  }
  refresh(wanted.topic, lane, oldest_in(lane, wanted.sender));
  return id;
}

void Lanes::stop_waiting(ReaderId reader) {
  const auto node = readers_.extract(reader);
  if (!node) return;
  const auto& wanted = node.mapped();
  const auto found = lanes_.find(wanted.topic);
  if (found == lanes_.end()) return;
  auto& lane = found->second;
  lane.readers.erase(reader);
  if (wanted.sender) {
    const auto of_address = lane.readers_of.find(Address::of(*wanted.sender));
    if (of_address != lane.readers_of.end()) {
      of_address->second.erase(reader);
      if (of_address->second.empty()) lane.readers_of.erase(of_address);
    }
  }
  drop_if_unused(found);
}

void Lanes::drop_if_unused(AllLanes::iterator lane) {
  if (lane->second.unused() && !lane->first.empty()) lanes_.erase(lane);
}

void Lanes::refresh(const std::string& topic, const Lane& lane, std::optional<EntryId> id) {
  if (id) fresh_.try_emplace(*id, Key{topic, lane.ready.at(*id)});
}

// The one who has waited longest of those the message is for.
std::optional<ReaderId> Lanes::reader_for(const Lane& lane, const PublicKey& sender) const {
  std::optional<ReaderId> first;
  if (!lane.readers.empty()) first = *lane.readers.begin();
  const auto of_address = lane.readers_of.find(Address::of(sender));
  if (of_address == lane.readers_of.end()) return first;
  for (const auto reader : of_address->second) {
    if (first && *first < reader) break;
    if (selects(readers_.at(reader).sender, sender)) return reader;
  }
  return first;
}

std::optional<ReaderId> Lanes::next_reader() {
  while (!fresh_.empty()) {
    const auto item = fresh_.begin();
    const auto lane = lanes_.find(item->second.topic);
    if (lane != lanes_.end()) {
      if (const auto reader = reader_for(lane->second, item->second.sender)) {
        stop_waiting(*reader);
        return reader;
      }
    }
    fresh_.erase(item);
  }
  return {};
}

}  // namespace axl::router
