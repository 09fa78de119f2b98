#include "question.hpp"

#include "status.hpp"

namespace axl::c {

namespace {

Result<Contribution> to_value(const axl_value& value) {
  Contribution out{.group = to_string(value.group), .value = Number{value.number.integer}};
  if (value.data == nullptr && value.size > 0) return Error{Errc::invalid_argument, "a value's data is NULL"};
  if (value.data != nullptr) {
    out.value = to_bytes(to_span(value.data, value.size));
  } else if (value.number.is_real != 0) {
    const auto number = Number::from_double(value.number.real);
    if (!number) return number.error();
    out.value = *number;
  }
  return out;
}

}  // namespace

Result<std::vector<Contribution>> to_values(const axl_value* values, std::size_t count) {
  if (values == nullptr && count > 0) return Error{Errc::invalid_argument, "no values"};
  if (count > kMaxAggregationGroups) return Error{Errc::invalid_argument, "more than 256 groups"};
  std::vector<Contribution> out;
  for (std::size_t i = 0; i < count; ++i) {
    auto value = to_value(values[i]);
    if (!value) return value.error();
    if (value->group.size() > kMaxAggregationName) {
      return Error{Errc::invalid_argument, "a group's name has more than 64 bytes"};
    }
    const auto* bytes = std::get_if<Bytes>(&value->value);
    if (bytes != nullptr && bytes->size() > kMaxAggregationBytes) {
      return Error{Errc::too_large, "a value has more than 16384 bytes"};
    }
    out.push_back(*std::move(value));
  }
  return out;
}

}  // namespace axl::c

using namespace axl::c;

extern "C" {

const char* axl_question_name(const axl_question* question) {
  return question == nullptr ? "" : question->question.name.c_str();
}

axl_operation axl_question_operation(const axl_question* question) {
  return question == nullptr ? AXL_OP_DEFAULT : static_cast<axl_operation>(question->question.operation.kind);
}

const char* axl_question_merge(const axl_question* question) {
  return question == nullptr ? "" : question->question.operation.merge.c_str();
}

uint32_t axl_question_timeout_ms(const axl_question* question) {
  if (question == nullptr) return 0;
  return static_cast<uint32_t>(std::chrono::duration_cast<std::chrono::milliseconds>(question->question.time).count());
}

int axl_question_tells_all(const axl_question* question) {
  return question != nullptr && question->question.tell_all ? 1 : 0;
}

axl_status axl_question_answer(axl_question* question, const axl_value* values, size_t count) {
  if (question == nullptr) return missing("no question");
  return guarded([&] {
    auto read = to_values(values, count);
    if (!read) return fail(read.error());
    const auto answer = std::exchange(question->answer, nullptr);
    if (!answer) return fail(AXL_E_NOT_FOUND, "the question is answered already");
    answer(*std::move(read));
    return AXL_OK;
  });
}

void axl_question_free(axl_question* question) { delete question; }

const char* axl_merge_name(const axl_merge* merge) { return merge == nullptr ? "" : merge->name.c_str(); }

const void* axl_merge_first(const axl_merge* merge, size_t* size) {
  return give_bytes(merge == nullptr ? axl::ByteSpan{} : axl::ByteSpan{merge->first}, size);
}

const void* axl_merge_second(const axl_merge* merge, size_t* size) {
  return give_bytes(merge == nullptr ? axl::ByteSpan{} : axl::ByteSpan{merge->second}, size);
}

axl_status axl_merge_answer(axl_merge* merge, const void* data, size_t size) {
  if (merge == nullptr || (data == nullptr && size > 0)) return missing("no merge or no data");
  if (size > axl::kMaxAggregationBytes) return fail(AXL_E_TOO_LARGE, "a value has at most 16384 bytes");
  return guarded([&] {
    auto merged = axl::to_bytes(to_span(data, size));
    const auto answer = std::exchange(merge->answer, nullptr);
    if (!answer) return fail(AXL_E_NOT_FOUND, "the two are merged already");
    answer(std::move(merged));
    return AXL_OK;
  });
}

void axl_merge_free(axl_merge* merge) { delete merge; }

}  // extern "C"
