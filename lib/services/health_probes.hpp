// Asks services now and then whether they are there. Any answer but a 5xx will do: it is the server's.
#pragma once

#include <axl/service.hpp>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "core/scheduler.hpp"
#include "services/fetch.hpp"
#include "services/service_table.hpp"

namespace axl::services {

class HealthProbes {
 public:
  using ResultHandler = std::function<void(const std::string& name, bool healthy)>;

  HealthProbes(Scheduler& scheduler, ResultHandler handler);
  HealthProbes(const HealthProbes&) = delete;
  HealthProbes& operator=(const HealthProbes&) = delete;
  ~HealthProbes();

  /// Replaces one of that name. The first question is asked at once.
  void add(const std::string& name, const Backend& backend, const ServiceProbe& probe);
  void remove(std::string_view name);

 private:
  struct Probe;
  void ask(Probe& probe);

  Scheduler& scheduler_;
  ResultHandler handler_;
  std::map<std::string, std::unique_ptr<Probe>, std::less<>> probes_;
};

}  // namespace axl::services
