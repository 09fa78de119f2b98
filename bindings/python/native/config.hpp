#pragma once

#include <nanobind/nanobind.h>

namespace axl::python {

/// PrivateKey and NodeConfig.
void bind_config(nanobind::module_& module);

}  // namespace axl::python
