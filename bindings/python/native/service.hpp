// One request to a service in this program, and its answer, as Python sees them.
#pragma once

#include <axl/service.hpp>
#include <memory>

#include "channel.hpp"

namespace axl::python {

class ServiceCall {
 public:
  ServiceCall(ServiceRequest request, ServiceReply reply, const std::shared_ptr<Channel>& channel);

  [[nodiscard]] std::uint64_t id() const noexcept { return id_; }
  [[nodiscard]] const ServiceRequest& request() const noexcept { return request_; }
  [[nodiscard]] ServiceReply& reply() noexcept { return reply_; }

 private:
  const std::uint64_t id_;
  ServiceRequest request_;
  ServiceReply reply_;
};

void bind_service(nb::module_& module);

}  // namespace axl::python
