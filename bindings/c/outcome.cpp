// What an outcome says.
#include <algorithm>
#include <cstring>

#include "question.hpp"
#include "status.hpp"

namespace {

axl_number to_number(const axl::Number& number) noexcept {
  return {number.is_integer() ? 0 : 1, number.is_integer() ? number.integer() : 0, number.to_double()};
}

std::vector<axl_ranked> to_ranked(const std::vector<axl::Aggregate::Ranked>& top) {
  std::vector<axl_ranked> out;
  for (const auto& [value, node] : top) {
    auto& one = out.emplace_back();
    one.value = to_number(value);
    axl::c::from_key(node, one.node);
  }
  return out;
}

}  // namespace

axl_outcome::axl_outcome(axl::Question of, axl::Outcome came) : question{std::move(of)}, outcome{std::move(came)} {
  for (const auto& group : outcome.groups) top.push_back(to_ranked(group.top));
}

using namespace axl::c;

extern "C" {

const char* axl_outcome_name(const axl_outcome* outcome) {
  return outcome == nullptr ? "" : outcome->question.name.c_str();
}

axl_operation axl_outcome_operation(const axl_outcome* outcome) {
  return outcome == nullptr ? AXL_OP_DEFAULT : static_cast<axl_operation>(outcome->question.operation.kind);
}

int axl_outcome_complete(const axl_outcome* outcome) {
  return outcome != nullptr && outcome->outcome.complete() ? 1 : 0;
}
uint64_t axl_outcome_contributed(const axl_outcome* outcome) {
  return outcome == nullptr ? 0 : outcome->outcome.contributed;
}
uint64_t axl_outcome_abstained(const axl_outcome* outcome) {
  return outcome == nullptr ? 0 : outcome->outcome.abstained;
}
uint64_t axl_outcome_missing(const axl_outcome* outcome) { return outcome == nullptr ? 0 : outcome->outcome.missing; }
int axl_outcome_settling(const axl_outcome* outcome) { return outcome != nullptr && outcome->outcome.settling ? 1 : 0; }
int axl_outcome_truncated(const axl_outcome* outcome) {
  return outcome != nullptr && outcome->outcome.truncated ? 1 : 0;
}

int axl_outcome_missing_key(const axl_outcome* outcome, size_t index, axl_key* key) {
  const bool there = outcome != nullptr && index < outcome->outcome.missing_keys.size();
  give_key(there ? outcome->outcome.missing_keys[index] : axl::PublicKey{}, key);
  return there ? 1 : 0;
}

axl_status axl_outcome_group(const axl_outcome* outcome, size_t index, axl_aggregate* aggregate) {
  if (outcome == nullptr || aggregate == nullptr) return missing("no outcome or no place for a group");
  return guarded([&] {
    const auto size = aggregate->struct_size;
    if (size < AXL_SIZE_UP_TO(axl_aggregate, size)) {
      return fail(AXL_E_INVALID_ARGUMENT, "struct_size is " + std::to_string(size) + ": use AXL_INIT");
    }
    if (index >= outcome->outcome.groups.size()) return fail(AXL_E_NOT_FOUND, "there are no more groups");
    const auto& group = outcome->outcome.groups[index];
    const auto& top = outcome->top[index];
    const axl_aggregate filled{size,       group.group.c_str(), group.count,        to_number(group.value),
                               top.data(), top.size(),          group.bytes.data(), group.bytes.size()};
    std::memcpy(aggregate, &filled, std::min(size, sizeof filled));
    return AXL_OK;
  });
}

void axl_outcome_free(axl_outcome* outcome) { delete outcome; }

}  // extern "C"
