// What a node tells of itself, as dictionaries with the names that the local HTTP API uses; axl/views.py makes
// dataclasses of either.
#pragma once

#include <nanobind/nanobind.h>

#include <axl/node.hpp>

namespace axl::python {

namespace nb = nanobind;

[[nodiscard]] nb::object dict_of(const Topology& topology);
[[nodiscard]] nb::object dict_of(const KnownNode& known);
[[nodiscard]] nb::object dict_of(const Statistics& statistics);
[[nodiscard]] nb::object dict_of(const NodeEvent& event);
[[nodiscard]] nb::object dict_of(const ServiceInfo& service);

}  // namespace axl::python
