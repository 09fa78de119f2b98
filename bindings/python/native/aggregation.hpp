// A node's part in aggregations as Python sees it: what it is asked, and what has come of what was asked.
#pragma once

#include <axl/convergecast.hpp>
#include <atomic>
#include <memory>
#include <utility>

#include "channel.hpp"

namespace axl::python {

/// A question that waits for what Python has to say; nothing, when nobody answers.
class Asked {
 public:
  static constexpr std::size_t kMost = 256;  // of a node; at more it has nothing to say
  using Count = std::shared_ptr<std::atomic<std::size_t>>;

  Asked(Question question, Convergecast::Answer answer, Count count)
      : question_{std::move(question)}, answer_{std::move(answer)}, count_{std::move(count)} {}
  Asked(const Asked&) = delete;
  Asked& operator=(const Asked&) = delete;
  ~Asked() {
    --*count_;
    answer_({});  // the first answer counts
  }

  [[nodiscard]] const Question& question() const noexcept { return question_; }
  void answer(std::vector<Contribution> values) { answer_(std::move(values)); }

 private:
  Question question_;
  Convergecast::Answer answer_;
  Count count_;
};

/// Questions come to `channel` as what arrives for `target`, and so do outcomes that are told to all.
void listen_to_questions(Convergecast& convergecast, const std::shared_ptr<Channel>& channel, std::uint64_t target,
                         const std::shared_ptr<std::atomic<bool>>& contributes);

class NativeNode;

void bind_aggregation(nb::module_& module);
void bind_aggregation(nb::class_<NativeNode>& type);

}  // namespace axl::python
