// The services of a node as the public Router reaches them; `services` implements it.
#pragma once

#include <axl/result.hpp>
#include <axl/service.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace axl::router {

/// On the loop. Adding replaces a service of that name.
class Services {
 public:
  virtual Result<void> add_handler(std::string name, ServiceAccess access, ServiceHandler handler) = 0;
  virtual Result<void> add_url(std::string name, const std::string& url, ServiceAccess access,
                               std::optional<ServiceProbe> probe) = 0;
  virtual Result<void> add_command(std::string name, ServiceCommand command, ServiceAccess access) = 0;
  virtual bool remove(std::string_view name) = 0;
  /// In the order of names.
  [[nodiscard]] virtual std::vector<ServiceInfo> list() const = 0;

 protected:
  ~Services() = default;
};

}  // namespace axl::router
