#include "convergecast/groups.hpp"

#include <algorithm>
#include <iterator>

#include "core/printable.hpp"

namespace axl::convergecast {

namespace {

using Kind = Operation::Kind;

bool is_printable(std::string_view text) noexcept {
  while (!text.empty()) {
    const auto size = printable_size(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

Error wrong(std::string text) { return {Errc::invalid_argument, std::move(text)}; }

void merge_top(std::vector<Aggregate::Ranked>& into, const std::vector<Aggregate::Ranked>& more, std::size_t limit) {
  std::vector<Aggregate::Ranked> all;
  std::ranges::merge(into, more, std::back_inserter(all), ranks_before);
  all.resize(std::min(all.size(), limit));
  into = std::move(all);
}

bool merge_one(Accumulator& into, const Accumulator& more, const Operation& operation, const Merge* merge) {
  into.count += more.count;
  switch (operation.kind) {
    case Kind::count: break;
    case Kind::sum:
    case Kind::mean: return into.sum.add(more.sum);
    case Kind::min: into.best = std::min(into.best, more.best); break;
    case Kind::max: into.best = std::max(into.best, more.best); break;
    case Kind::top: merge_top(into.top, more.top, operation.limit); break;
    case Kind::custom: {
      if (merge == nullptr) return false;
      auto merged = (*merge)(into.bytes, more.bytes);
      if (!merged || merged->size() > kMaxAggregationBytes) return false;
      into.bytes = std::move(*merged);
    }
  }
  return true;
}

Number mean_of(const Accumulator& group) {
  return Number::from_double(group.sum.mean(group.count)).value();  // finite, always
}

}  // namespace

bool is_group(std::string_view text) noexcept { return text.size() <= kMaxAggregationName && is_printable(text); }
bool is_name(std::string_view text) noexcept { return !text.empty() && is_group(text); }

Result<void> check(const Question& question) {
  if (!is_name(question.name)) return wrong("a question's name is 1 to 64 bytes of text that may be shown");
  const auto& operation = question.operation;
  if (operation.kind < Kind::count || operation.kind > Kind::custom) return wrong("no such operation");
  const bool is_top = operation.kind == Kind::top;
  if (is_top ? operation.limit == 0 || operation.limit > Operation::kMaxTop : operation.limit != 0) {
    return wrong("the limit of top is 1 to 64, of other operations 0");
  }
  if (operation.kind == Kind::custom ? !is_name(operation.merge) : !operation.merge.empty()) {
    return wrong("a custom operation names its merge in 1 to 64 bytes, others do not");
  }
  if (question.time < kLeastAggregationTime || question.time > kMostAggregationTime) {
    return wrong("the time of a question is 100 ms to one minute");
  }
  return {};
}

bool ranks_before(const Aggregate::Ranked& a, const Aggregate::Ranked& b) noexcept {
  return a.value != b.value ? a.value > b.value : a.node < b.node;
}

Result<Groups> groups_of(const PublicKey& node, const Operation& operation, const std::vector<Contribution>& values) {
  Groups groups;
  if (values.size() > kMaxAggregationGroups) return Error{Errc::too_large, "more than 256 groups"};
  for (const auto& [group, value] : values) {
    if (!is_group(group)) return wrong("a group's name is at most 64 bytes of text that may be shown");
    Accumulator own;
    own.count = 1;
    const auto* number = std::get_if<Number>(&value);
    if (operation.kind == Kind::custom) {
      const auto* bytes = std::get_if<Bytes>(&value);
      if (bytes == nullptr) return wrong("the value of a custom operation is bytes");
      if (bytes->size() > kMaxAggregationBytes) return Error{Errc::too_large, "a value of more than 16384 bytes"};
      own.bytes = *bytes;
    } else if (operation.kind != Kind::count) {
      if (number == nullptr) return wrong("the value of this operation is a number");
      if (operation.kind == Kind::sum || operation.kind == Kind::mean) own.sum = ExactSum{*number};
      if (operation.kind == Kind::min || operation.kind == Kind::max) own.best = *number;
      if (operation.kind == Kind::top) own.top = {{*number, node}};
    }
    if (!groups.try_emplace(group, std::move(own)).second) return wrong("two values for one group");
  }
  return groups;
}

bool merge_into(Groups& into, const Groups& more, const Operation& operation, const Merge* merge, bool& truncated) {
  auto merged = into;
  for (const auto& [name, group] : more) {
    const auto [place, is_new] = merged.try_emplace(name, group);
    if (!is_new && !merge_one(place->second, group, operation, merge)) return false;
  }
  while (merged.size() > kMaxAggregationGroups) {
    merged.erase(std::prev(merged.end()));
    truncated = true;
  }
  into = std::move(merged);
  return true;
}

std::vector<Aggregate> aggregates(const Groups& groups, const Operation& operation) {
  std::vector<Aggregate> list;
  for (const auto& [name, group] : groups) {
    Aggregate aggregate;
    aggregate.group = name;
    aggregate.count = group.count;
    switch (operation.kind) {
      case Kind::count: aggregate.value = Number{static_cast<std::int64_t>(group.count)}; break;
      case Kind::sum: aggregate.value = group.sum.value(); break;
      case Kind::mean: aggregate.value = mean_of(group); break;
      case Kind::min:
      case Kind::max: aggregate.value = group.best; break;
      case Kind::top: aggregate.top = group.top; break;
      case Kind::custom: aggregate.bytes = group.bytes; break;
    }
    list.push_back(std::move(aggregate));
  }
  return list;
}

}  // namespace axl::convergecast
