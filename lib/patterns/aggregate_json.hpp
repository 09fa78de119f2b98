// Questions, values and outcomes of aggregations as the local API writes them.
//
//   {"operation":"sum","time":10,"tell_all":false,"value":3}        a question; what this node says itself, if anything
//   {"value":3}  {"values":{"a":1,"b":2.5},"ttl":60}                what this node says when it is asked
//
// `operation` is count, sum, min, max, mean or top, which takes `limit`. `value` is that of the group without a name.
//
//   {"legacy":true,"time":30,"values":{"a":1}}                    this node's part in a session of the older kind
//
// Unknown members are errors: a mistyped one would change what is meant.
#pragma once

#include <axl/aggregation.hpp>
#include <axl/convergecast.hpp>
#include <axl/result.hpp>
#include <axl/time.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace axl::patterns {

struct QuestionRequest {
  Question question;
  std::optional<std::vector<Contribution>> values;
  bool legacy = false;  ///< a session of the older kind, which has no operation
};
/// Its ranges are checked by whoever is asked.
[[nodiscard]] Result<QuestionRequest> read_question(std::string_view session, std::string_view json);

struct ValuesRequest {
  std::vector<Contribution> values;
  std::optional<Duration> ttl;  ///< 1 s to a day; none: until they are taken back
};
[[nodiscard]] Result<ValuesRequest> read_values(std::string_view json);

[[nodiscard]] std::string values_json(const std::vector<Contribution>& values);
[[nodiscard]] std::string old_outcome_json(std::string_view session, const Convergecast::OldOutcome& outcome);
[[nodiscard]] std::string outcome_json(std::string_view session, const Operation& operation, const Outcome& outcome);

}  // namespace axl::patterns
