#include "patterns/contributions.hpp"

#include <utility>

namespace axl::patterns {

Result<void> Contributions::set(const std::string& name, std::vector<Contribution> values, std::optional<Time> until,
                                Time now) {
  forget_old(now);
  if (entries_.size() >= kMax && !entries_.contains(name)) {
    return Error{Errc::limit_reached, "values are kept for " + std::to_string(kMax) + " sessions already"};
  }
  auto& entry = entries_[name];
  entry.values = std::move(values);
  entry.until = until;
  return {};
}

bool Contributions::remove(std::string_view name, Time now) {
  forget_old(now);
  const auto found = entries_.find(name);
  if (found == entries_.end()) return false;
  entries_.erase(found);
  return true;
}

Contributions::Entry* Contributions::find(std::string_view name, Time now) {
  forget_old(now);
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : &found->second;
}

const std::map<std::string, Contributions::Entry, std::less<>>& Contributions::all(Time now) {
  forget_old(now);
  return entries_;
}

void Contributions::forget_old(Time now) {
  std::erase_if(entries_, [now](const auto& entry) { return entry.second.until && *entry.second.until <= now; });
}

}  // namespace axl::patterns
