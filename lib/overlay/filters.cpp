#include "overlay/filters.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace axl::overlay {

Filters::Filters(const Config& config, const PublicKey& own_key)
    : keep_dirty_{config.strict_filter_zeros}, resend_{config.bloom_resend} {
  BloomBits{transform_key(own_key, config.key_transform)}.add_to(own_);
}

void Filters::add(const PublicKey& neighbour) { entries_.try_emplace(neighbour); }

void Filters::remove(const PublicKey& neighbour) {
  const auto found = entries_.find(neighbour);
  if (found == entries_.end()) return;
  work_ = work_ || found->second.on_tree;
  entries_.erase(found);
}

Filters::TickResult Filters::tick(const std::function<bool(const PublicKey&)>& on_tree, bool regular) {
  TickResult result;
  for (auto& [key, entry] : entries_) {
    const bool now_on_tree = on_tree(key);
    if (entry.on_tree != now_on_tree) {
      work_ = true;
      entry.on_tree = now_on_tree;
      if (now_on_tree) {
        result.joined.push_back(key);
      } else {
        entry.send = {};
        result.send.push_back(key);
      }
    }
    if (now_on_tree && regular) ++entry.ticks;
  }
  if (std::exchange(work_, false)) update_all(result);
  for (auto& [key, entry] : entries_) {
    if (!entry.on_tree || entry.ticks < resend_) continue;
    entry.ticks = 0;
    result.send.push_back(key);
  }
  return result;
}

// The filter for one neighbour is the union of all others': what stands before it and what stands behind it.
void Filters::update_all(TickResult& result) {
  std::vector<std::pair<const PublicKey, Entry>*> tree;
  for (auto& item : entries_) {
    if (item.second.on_tree) tree.push_back(&item);
  }
  std::vector<wire::BloomFilter> behind(tree.size() + 1);
  for (std::size_t i = tree.size(); i-- > 0;) {
    behind[i] = behind[i + 1];
    merge(behind[i], tree[i]->second.recv);
  }
  auto before = own_;
  for (std::size_t i = 0; i < tree.size(); ++i) {
    auto exact = before;
    merge(exact, behind[i + 1]);
    update(tree[i]->first, tree[i]->second, exact, result);
    merge(before, tree[i]->second.recv);
  }
}

void Filters::update(const PublicKey& key, Entry& entry, const wire::BloomFilter& exact, TickResult& result) {
  auto filter = exact;
  if (!entry.dirty) merge(filter, entry.send);
  const bool has_extra = filter != exact;
  if (filter == entry.send) {
    // The reference leaves the mark as it was, so bits that are only removed would stay until something is added.
    if (keep_dirty_) entry.dirty = has_extra;
  } else {
    entry.send = filter;
    entry.dirty = has_extra;
    entry.ticks = 0;
    result.send.push_back(key);
  }
  work_ = work_ || entry.dirty;
}

Filters::Change Filters::received(const PublicKey& neighbour, const wire::BloomFilter& filter,
                                  wire::BloomFilter& previous) {
  const auto found = entries_.find(neighbour);
  if (found == entries_.end() || found->second.recv == filter) return Change::none;
  previous = found->second.recv;
  found->second.recv = filter;
  work_ = work_ || found->second.on_tree;
  for (std::size_t i = 0; i < filter.words.size(); ++i) {
    if ((filter.words[i] & ~previous.words[i]) != 0) return Change::bits_added;
  }
  return Change::bits_removed;
}

const Filters::Entry& Filters::entry(const PublicKey& neighbour) const {
  static const Entry none;
  const auto found = entries_.find(neighbour);
  return found == entries_.end() ? none : found->second;
}

bool Filters::on_tree(const PublicKey& neighbour) const { return entry(neighbour).on_tree; }
const wire::BloomFilter& Filters::sent(const PublicKey& neighbour) const { return entry(neighbour).send; }
const wire::BloomFilter& Filters::known(const PublicKey& neighbour) const { return entry(neighbour).recv; }
bool Filters::dirty(const PublicKey& neighbour) const { return entry(neighbour).dirty; }

double Filters::fill() const noexcept {
  int most = 0;
  for (const auto& [key, entry] : entries_) {
    if (!entry.on_tree) continue;
    int bits = 0;
    for (const auto word : entry.recv.words) bits += std::popcount(word);
    most = std::max(most, bits);
  }
  return static_cast<double>(most) / (64.0 * wire::BloomFilter::kWords);
}

std::vector<PublicKey> Filters::targets(const BloomBits& target, const PublicKey* from) const {
  std::vector<PublicKey> keys;
  for (const auto& [key, entry] : entries_) {
    if (entry.on_tree && (from == nullptr || key != *from) && target.in(entry.recv)) keys.push_back(key);
  }
  return keys;
}

}  // namespace axl::overlay
