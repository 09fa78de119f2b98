#include "aggregation.hpp"

#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include <array>

#include "node.hpp"
#include "values.hpp"

namespace axl::python {

namespace {

constexpr std::array kOperations{"count", "sum", "min", "max", "mean", "top", "custom"};  // in the order of their kinds

Operation operation_of(std::string_view name, std::uint16_t limit) {
  for (std::size_t i = 0; i + 1 < kOperations.size(); ++i) {
    if (name == kOperations[i]) return {.kind = static_cast<Operation::Kind>(i + 1), .limit = limit, .merge = {}};
  }
  raise(Error{Errc::invalid_argument, "an operation is count, sum, min, max, mean or top"});
}

Number number_of(nb::handle value) {
  if (!PyFloat_Check(value.ptr()) && PyIndex_Check(value.ptr())) {
    const auto whole = nb::steal(PyNumber_Index(value.ptr()));
    if (!whole.is_valid()) throw nb::python_error{};
    int overflow = 0;
    const auto integer = PyLong_AsLongLongAndOverflow(whole.ptr(), &overflow);
    if (overflow != 0) raise(Error{Errc::invalid_argument, "a whole number has at most 64 bits; a float may be larger"});
    return Number{static_cast<std::int64_t>(integer)};
  }
  const double real = PyFloat_AsDouble(value.ptr());
  if (real == -1.0 && PyErr_Occurred() != nullptr) throw nb::python_error{};
  return checked(Number::from_double(real));
}

nb::object object_of(const Number& number) {
  if (number.is_integer()) return nb::cast(number.integer());
  return nb::cast(number.to_double());
}

nb::dict dict_of(const Question& question) {
  nb::dict out;
  out["name"] = text_of(question.name);
  out["operation"] = kOperations[static_cast<std::size_t>(question.operation.kind) - 1];
  out["timeout"] = seconds_of(question.time);
  out["tell_all"] = question.tell_all;
  return out;
}

nb::dict dict_of(const Aggregate& aggregate) {
  nb::list top;
  for (const auto& ranked : aggregate.top) top.append(nb::make_tuple(object_of(ranked.value), ranked.node.to_hex()));
  nb::dict out;
  out["group"] = text_of(aggregate.group);
  out["count"] = aggregate.count;
  out["value"] = object_of(aggregate.value);
  out["top"] = top;
  return out;
}

nb::object dict_of(const Outcome& outcome) {
  nb::list groups;
  for (const auto& group : outcome.groups) groups.append(dict_of(group));
  nb::list missing;
  for (const auto& key : outcome.missing_keys) missing.append(key.to_hex());
  nb::dict out;
  out["groups"] = groups;
  out["contributed"] = outcome.contributed;
  out["abstained"] = outcome.abstained;
  out["missing"] = outcome.missing;
  out["missing_keys"] = missing;
  out["settling"] = outcome.settling;
  out["truncated"] = outcome.truncated;
  return nb::object{out};
}

}  // namespace

// A node that has nothing to say, says so without Python.
void listen_to_questions(Convergecast& convergecast, const std::shared_ptr<Channel>& channel, std::uint64_t target,
                         const std::shared_ptr<std::atomic<bool>>& contributes) {
  convergecast.on_question_slowly([channel, target, contributes, count = std::make_shared<std::atomic<std::size_t>>(0)](
                                      const Question& question, Convergecast::Answer answer) {
    if (!*contributes) return answer({});
    if (++*count > Asked::kMost) {
      --*count;
      return answer({});
    }
    auto asked = std::make_shared<Asked>(question, std::move(answer), count);
    channel->push(Channel::Kind::arrived, target, [asked = std::move(asked)] { return nb::cast(asked); });
  });
  convergecast.on_told([channel, target](const Question& question, const Outcome& outcome) {
    channel->offer(Channel::Kind::arrived, target,
                   [question, outcome]() -> nb::object { return nb::make_tuple(dict_of(question), dict_of(outcome)); });
  });
}

void bind_aggregation(nb::module_& module) {
  nb::class_<Asked>(module, "Asked")
      .def_prop_ro("question", [](const Asked& self) { return dict_of(self.question()); })
      .def("answer", [](Asked& self, const std::vector<std::pair<std::string, nb::object>>& values) {
        std::vector<Contribution> contributions;
        contributions.reserve(values.size());
        const bool counted = self.question().operation.kind == Operation::Kind::count;
        for (const auto& [group, value] : values) {
          contributions.push_back({.group = group, .value = counted ? Number{} : number_of(value)});
        }
        self.answer(std::move(contributions));
      });
}

void bind_aggregation(nb::class_<NativeNode>& type) {
  using Self = NativeNode;
  type.def("attach", &Self::attach)
      .def("contributes", [](Self& self, bool anything) { self.contributes(anything); })
      .def("ask", [](Self& self, std::string name, std::string_view operation, std::uint16_t limit, double timeout, bool tell_all) {
        Question question{.name = std::move(name), .operation = operation_of(operation, limit), .time = duration_of(timeout), .tell_all = tell_all};
        const auto id = self.channel()->next_id();
        check(self.host().with([&](Node&) -> Result<void> {
          auto convergecast = self.host().parts().convergecast();
          if (!convergecast) return convergecast.error();
          (*convergecast)->ask(std::move(question), [channel = self.channel(), id](Result<Outcome> outcome) {
            channel->complete(id, std::move(outcome), [](const Outcome& value) { return dict_of(value); });
          });
          return {};
        }));
        return id;
      });
}

}  // namespace axl::python
