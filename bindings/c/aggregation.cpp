// What a node says when it is asked, and what it asks.
#include <chrono>

#include "node.hpp"
#include "patterns.hpp"
#include "status.hpp"

using namespace axl::c;

namespace {

axl_status take_part(axl_node& node, axl::Convergecast::Options options = {}) {
  if (node.patterns()->takes_part()) return AXL_OK;
  return node.on_loop([&](axl::Node& on) { return done(node.patterns()->take_part(on, options)); });
}

axl::Result<axl::Question> to_question(const char* name, const axl_ask_options& options) {
  const auto kind = number_of(options.operation);
  if (kind < AXL_OP_DEFAULT || kind > AXL_OP_CUSTOM) {
    return axl::Error{axl::Errc::invalid_argument, "operation is none"};
  }
  axl::Question question;
  question.name = name;
  if (kind != AXL_OP_DEFAULT) question.operation.kind = static_cast<axl::Operation::Kind>(kind);
  question.operation.limit = options.limit;
  question.operation.merge = to_string(options.merge);
  if (options.timeout_ms > 0) question.time = std::chrono::milliseconds{options.timeout_ms};
  question.tell_all = options.tell_all != 0;
  return question;
}

axl_status ask(axl_node& node, const axl::Question& question, void* user) {
  if (const auto taking = take_part(node); taking != AXL_OK) return taking;
  const auto begun = node.operations().begin({.kind = AXL_EVENT_OUTCOME, .user = user});
  if (!begun) return fail(begun.error());
  node.patterns()->ask(question, [operations = node.shared_operations(), operation = *begun,
                                  question](axl::Result<axl::Outcome> outcome) {
    if (!operations->end(operation)) return;
    auto item = operations->event_of(*operation);
    if (outcome) {
      item.outcome = std::make_unique<axl_outcome>(question, *std::move(outcome));
    } else {
      item.status = status_of(outcome.error());
      item.text = outcome.error().text();
    }
    operations->report(*operation, std::move(item));
  });
  return AXL_OK;
}

}  // namespace

extern "C" {

axl_status axl_take_part(axl_node* node, const axl_take_part_options* options) {
  if (node == nullptr) return missing("no node");
  return guarded([&] {
    const auto read = read_options(options, AXL_SIZE_UP_TO(axl_take_part_options, legacy));
    if (!read) return fail(read.error());
    node->patterns()->answering().set({read->user, read->questions != 0, read->told != 0});
    return take_part(*node, {.new_key = read->new_key != 0, .legacy = read->legacy != 0});
  });
}

axl_status axl_contribute(axl_node* node, const char* name, const axl_value* values, size_t count) {
  if (node == nullptr || name == nullptr) return missing("no node or no name");
  return guarded([&] {
    auto read = to_values(values, count);
    if (!read) return fail(read.error());
    if (const auto left = node->patterns()->answering().leave(name, *std::move(read)); !left) return fail(left.error());
    return take_part(*node);
  });
}

axl_status axl_ask(axl_node* node, const char* name, const axl_ask_options* options) {
  if (node == nullptr || name == nullptr) return missing("no node or no name");
  return guarded([&] {
    const auto read = read_options(options, AXL_SIZE_UP_TO(axl_ask_options, tell_all));
    if (!read) return fail(read.error());
    const auto question = to_question(name, *read);
    return question ? ask(*node, *question, read->user) : fail(question.error());
  });
}

axl_status axl_merge_add(axl_node* node, const char* name, void* user) {
  if (node == nullptr || name == nullptr) return missing("no node or no name");
  return guarded([&] {
    return node->on_loop([&](axl::Node& on) {
      const auto convergecast = node->patterns()->take_part(on);
      if (!convergecast) return fail(convergecast.error());
      const auto answering = node->patterns()->answering().shared_from_this();
      return done((*convergecast)->add_merge_slowly(
          name, [answering, name = std::string{name}, user](axl::Bytes first, axl::Bytes second,
                                                            axl::Convergecast::Merged merged) {
            answering->merge(name, user, std::move(first), std::move(second), std::move(merged));
          }));
    });
  });
}

}  // extern "C"
