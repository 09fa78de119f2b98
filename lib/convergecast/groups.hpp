// What values have become on their way up: one accumulator for each group, and how two of them merge.
//
// The built-in operations merge in any order to the same bits. A custom one is merged in an order that the tree decides
// (a node's own value first, then its children by key), so it has to be associative, and to give the same for whatever
// tree also commutative.
//
// Of more groups than kMaxAggregationGroups the first by name stay. A group that is among them in the end was among
// them in every part, so what stays is whole.
#pragma once

#include <axl/aggregation.hpp>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "convergecast/exact_sum.hpp"

namespace axl::convergecast {

struct Accumulator {
  std::uint64_t count = 0;            ///< at least 1
  ExactSum sum;                       ///< of sum and mean
  Number best;                        ///< of min and max
  std::vector<Aggregate::Ranked> top;  ///< highest first; of equal values the lower key first
  Bytes bytes;                        ///< of custom
  friend bool operator==(const Accumulator&, const Accumulator&) = default;
};
using Groups = std::map<std::string, Accumulator, std::less<>>;

/// Nodes in one outcome; a part that says more is malformed, so counters do not overflow.
inline constexpr std::uint64_t kMaxNodes = std::uint64_t{1} << 32;

/// Merges two values of a custom operation; empty: they are not what they should be.
using Merge = std::function<std::optional<Bytes>(ByteSpan first, ByteSpan second)>;

/// 1 to 64 bytes that may be shown (as a group: none too).
[[nodiscard]] bool is_name(std::string_view text) noexcept;
[[nodiscard]] bool is_group(std::string_view text) noexcept;
/// What a question may be; invalid_argument says what is wrong.
[[nodiscard]] Result<void> check(const Question& question);

/// The order of Accumulator::top.
[[nodiscard]] bool ranks_before(const Aggregate::Ranked& a, const Aggregate::Ranked& b) noexcept;

/// A node's own values, made ready to be merged; invalid_argument or too_large.
[[nodiscard]] Result<Groups> groups_of(const PublicKey& node, const Operation& operation,
                                       const std::vector<Contribution>& values);

/// False, and `into` is as it was, when they do not go together: a sum or a value too large, a merge that refuses.
/// `merge` is that of a custom operation, else null. Sets `truncated` when groups fell off the end.
[[nodiscard]] bool merge_into(Groups& into, const Groups& more, const Operation& operation, const Merge* merge,
                              bool& truncated);

/// For people and programs.
[[nodiscard]] std::vector<Aggregate> aggregates(const Groups& groups, const Operation& operation);

}  // namespace axl::convergecast
