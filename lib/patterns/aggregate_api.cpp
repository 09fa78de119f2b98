#include "patterns/aggregate_api.hpp"

#include <fmt/format.h>

#include <chrono>
#include <ranges>
#include <utility>

#include "bridge/reply.hpp"
#include "convergecast/groups.hpp"
#include "http/target.hpp"
#include "mcp/json.hpp"
#include "patterns/aggregate_json.hpp"
#include "patterns/reply.hpp"

namespace axl::patterns {

AggregateApi::AggregateApi(std::unique_ptr<Convergecast> part, bridge::Host& host)
    : part_{std::move(part)}, host_{host} {
  part_->on_question([this](const Question& question) { return answer(question); });
  part_->on_told([this](const Question& question, const Outcome& outcome) {
    auto* entry = contributions_.find(question.name, host_.now());
    if (entry == nullptr) return;
    entry->told = outcome;
    entry->operation = question.operation;
  });
}

std::vector<Contribution> AggregateApi::answer(const Question& question) {
  for (const auto& [number, asking] : asking_ | std::views::reverse) {
    if (asking.session == question.name && !asking.values.empty()) return asking.values;
  }
  auto* entry = contributions_.find(question.name, host_.now());
  if (entry == nullptr) return {};
  ++entry->asked;
  return entry->values;
}

void AggregateApi::serve_list(http::Exchange exchange) {
  if (!part_) return bridge::respond_busy(exchange, "The node is ending");
  std::string text = R"({"sessions":[)";
  bool first = true;
  for (const auto& [name, entry] : contributions_.all(host_.now())) {
    text += fmt::format("{}{}", std::exchange(first, false) ? "" : ",", mcp::json::quote(name));
  }
  respond_json(exchange, text + "]}");
}

void AggregateApi::serve_session(http::Exchange exchange) {
  constexpr std::string_view kPrefix = "/aggregate/";
  if (!part_) return bridge::respond_busy(exchange, "The node is ending");
  const auto& request = exchange.request();
  const auto session = http::percent_decode(request.target.path().substr(kPrefix.size()));
  if (!session || !convergecast::is_name(*session)) {
    return exchange.respond_error(400, "A session's name is 1 to 64 bytes of text that may be shown");
  }
  if (request.is("GET") || request.is("HEAD")) return show(exchange, *session);
  if (request.is("DELETE")) {
    if (contributions_.remove(*session, host_.now())) return exchange.respond(204, {}, {});
    return exchange.respond_error(404, "Nothing is kept for this session");
  }
  const bool keeps = request.is("PUT");
  std::move(exchange).collect({.max_bytes = kMaxBody},
                              [this, keeps, session = *session](http::Exchange ready, const Buffer& body) {
                                if (!part_) return bridge::respond_busy(ready, "The node is ending");
                                if (keeps) return keep(ready, session, as_text(body.span()));
                                ask(std::move(ready), session, as_text(body.span()));
                              });
}

void AggregateApi::show(http::Exchange& exchange, const std::string& session) {
  const auto now = host_.now();
  const auto* entry = contributions_.find(session, now);
  if (entry == nullptr) return exchange.respond_error(404, "Nothing is kept for this session");
  const auto expires =
      entry->until ? std::to_string(std::chrono::ceil<std::chrono::seconds>(*entry->until - now).count()) : "null";
  respond_json(exchange, fmt::format(R"({{"session":{},"values":{},"expires":{},"asked":{},"told":{}}})",
                                     mcp::json::quote(session), values_json(entry->values), expires, entry->asked,
                                     entry->told ? outcome_json(session, entry->operation, *entry->told) : "null"));
}

void AggregateApi::keep(http::Exchange& exchange, const std::string& session, std::string_view json) {
  auto request = read_values(json);
  if (!request) return respond_failed(exchange, request.error());
  const auto now = host_.now();
  const auto until = request->ttl ? std::optional{now + *request->ttl} : std::nullopt;
  if (const auto set = contributions_.set(session, std::move(request->values), until, now); !set) {
    return respond_failed(exchange, set.error());
  }
  exchange.respond(204, {}, {});
}

void AggregateApi::ask(http::Exchange exchange, const std::string& session, std::string_view json) {
  auto request = read_question(session, json);
  if (!request) return respond_failed(exchange, request.error());
  if (asking_.size() >= kMaxAsking) return bridge::respond_busy(exchange, "64 questions are under way");
  const auto number = next_++;
  auto values = std::move(request->values).value_or(std::vector<Contribution>{});
  asking_.emplace(number, Asking{session, request->question.operation, values, std::move(exchange)});
  if (request->legacy) {
    const auto* kept = contributions_.find(session, host_.now());
    if (values.empty() && kept != nullptr) values = kept->values;
    return part_->join_old(
        session, std::move(values), request->question.time,
        [this, number](const Result<Convergecast::OldOutcome>& outcome) { on_old_outcome(number, outcome); });
  }
  part_->ask(std::move(request->question), [this, number](Result<Outcome> outcome) { on_outcome(number, outcome); });
}

void AggregateApi::on_outcome(std::uint64_t number, const Result<Outcome>& outcome) {
  auto found = asking_.extract(number);
  if (found.empty()) return;
  auto& asking = found.mapped();
  if (!outcome) return respond_failed(asking.exchange, outcome.error());
  respond_json(asking.exchange, outcome_json(asking.session, asking.operation, *outcome));
}

void AggregateApi::on_old_outcome(std::uint64_t number, const Result<Convergecast::OldOutcome>& outcome) {
  auto found = asking_.extract(number);
  if (found.empty()) return;
  auto& asking = found.mapped();
  if (!outcome) return respond_failed(asking.exchange, outcome.error());
  respond_json(asking.exchange, old_outcome_json(asking.session, *outcome));
}

void AggregateApi::drain() {
  for (auto& [number, asking] : std::exchange(asking_, {})) bridge::respond_busy(asking.exchange, "The node is ending");
}

void AggregateApi::close() {
  part_.reset();
  asking_.clear();
}

}  // namespace axl::patterns
