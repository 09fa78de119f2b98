// `/aggregate`: questions to every node of the tree, and what this node says to those of others.
//
// A program leaves values under the name of a question; until it takes them back, or their time is over, they are what
// this node says. While a question is asked with values of its own, those are. Without either it abstains.
#pragma once

#include <axl/convergecast.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bridge/host.hpp"
#include "http/exchange.hpp"
#include "patterns/contributions.hpp"

namespace axl::patterns {

class AggregateApi {
 public:
  static constexpr std::size_t kMaxBody = 64UL * 1024;
  static constexpr std::size_t kMaxAsking = 64;  ///< questions under way

  /// `host` must outlive close().
  AggregateApi(std::unique_ptr<Convergecast> part, bridge::Host& host);

  void serve_list(http::Exchange exchange);     ///< `/aggregate`
  void serve_session(http::Exchange exchange);  ///< `/aggregate/{session}`
  /// Whoever waits for an outcome is told that there will be none.
  void drain();
  void close();

 private:
  struct Asking {
    std::string session;
    Operation operation;
    std::vector<Contribution> values;  // none: what is left here counts
    http::Exchange exchange;
  };

  void show(http::Exchange& exchange, const std::string& session);
  void keep(http::Exchange& exchange, const std::string& session, std::string_view json);
  void ask(http::Exchange exchange, const std::string& session, std::string_view json);
  void on_outcome(std::uint64_t number, const Result<Outcome>& outcome);
  void on_old_outcome(std::uint64_t number, const Result<Convergecast::OldOutcome>& outcome);
  [[nodiscard]] std::vector<Contribution> answer(const Question& question);

  std::unique_ptr<Convergecast> part_;
  bridge::Host& host_;
  Contributions contributions_;
  std::map<std::uint64_t, Asking> asking_;
  std::uint64_t next_ = 1;
};

}  // namespace axl::patterns
