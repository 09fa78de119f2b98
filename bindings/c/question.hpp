// What an aggregation hands to the caller: a question to be answered, two values to be merged, an outcome.
#pragma once

#include <axl.h>

#include <atomic>
#include <axl/convergecast.hpp>
#include <memory>
#include <utility>
#include <vector>

/// One that is freed without an answer: this node has nothing to say.
struct axl_question {
  using Count = std::shared_ptr<std::atomic<std::size_t>>;

  axl_question(axl::Question asked, axl::Convergecast::Answer its_answer, Count unanswered)
      : question{std::move(asked)}, answer{std::move(its_answer)}, count{std::move(unanswered)} {}
  axl_question(const axl_question&) = delete;
  axl_question& operator=(const axl_question&) = delete;
  ~axl_question() {
    if (answer) answer({});
    --*count;
  }

  const axl::Question question;
  axl::Convergecast::Answer answer;  ///< empty: given already
  const Count count;
};

/// One that is freed without an answer: the two do not go together.
struct axl_merge {
  axl_merge(std::string of, axl::Bytes one, axl::Bytes other, axl::Convergecast::Merged its_answer)
      : name{std::move(of)}, first{std::move(one)}, second{std::move(other)}, answer{std::move(its_answer)} {}
  axl_merge(const axl_merge&) = delete;
  axl_merge& operator=(const axl_merge&) = delete;
  ~axl_merge() {
    if (answer) answer(std::nullopt);
  }

  const std::string name;
  const axl::Bytes first;
  const axl::Bytes second;
  axl::Convergecast::Merged answer;  ///< empty: given already
};

struct axl_outcome {
  axl_outcome(axl::Question of, axl::Outcome came);

  const axl::Question question;
  const axl::Outcome outcome;
  std::vector<std::vector<axl_ranked>> top;  ///< of each group
};

namespace axl::c {

/// An array of the caller's; invalid_argument.
[[nodiscard]] Result<std::vector<Contribution>> to_values(const axl_value* values, std::size_t count);

}  // namespace axl::c
