// What this node says when others ask: values that were left here, or else whatever axl_poll's caller answers.
//
// Too many questions that nobody answers: the next ones get no answer at all, so this node is missing in the outcome,
// which then says so, instead of having nothing to say.
#pragma once

#include <axl/convergecast.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "event_queue.hpp"
#include "question.hpp"
#include "waiting.hpp"

namespace axl::c {

class Answering final : public Source, public std::enable_shared_from_this<Answering> {
 public:
  static constexpr std::size_t kMaxNames = 256;
  static constexpr std::size_t kMaxQuestions = 256;  // not answered, polled or not
  static constexpr std::size_t kMaxTold = 64;        // that wait to be polled
  static constexpr std::size_t kMaxToldBytes = 8UL * 1024 * 1024;

  struct Options {
    void* user = nullptr;
    bool questions = false;
    bool told = false;
  };
  explicit Answering(std::shared_ptr<EventQueue> queue)
      : queue_{std::move(queue)}, told_{kMaxTold, kMaxToldBytes} {}

  // Any thread.
  void set(const Options& options);
  /// None: what was there is taken back. limit_reached.
  Result<void> leave(const std::string& name, std::vector<Contribution> values);

  // On the loop.
  void asked(const Question& question, Convergecast::Answer answer);
  void told(const Question& question, const Outcome& outcome);
  void merge(const std::string& name, void* user, Bytes first, Bytes second, Convergecast::Merged answer);

  [[nodiscard]] bool take(Item& item) override;

 private:
  [[nodiscard]] Item event(axl_event_kind kind);

  const std::shared_ptr<EventQueue> queue_;
  const axl_question::Count unanswered_ = std::make_shared<std::atomic<std::size_t>>(0);
  std::mutex mutex_;
  Options options_;
  std::map<std::string, std::vector<Contribution>> values_;
  Waiting<std::unique_ptr<axl_outcome>> told_;
};

}  // namespace axl::c
