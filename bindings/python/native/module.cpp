// The native half of the package `axl`: what asyncio code needs of the library, without asyncio. axl/_native.pyi is its
// interface; programs use the package.
#include <nanobind/nanobind.h>

#include <axl/version.hpp>

#include "aggregation.hpp"
#include "config.hpp"
#include "messages.hpp"
#include "node.hpp"
#include "pubsub.hpp"
#include "service.hpp"

NB_MODULE(_native, module) {
  using namespace axl::python;
  // A program that ends in the middle of something has objects left; that is no leak to be told of.
  nb::set_leak_warnings(false);
  module.attr("version") = axl::kVersion;
  bind_config(module);
  bind_messages(module);
  bind_service(module);
  bind_pubsub(module);
  bind_aggregation(module);
  bind_node(module);
}
