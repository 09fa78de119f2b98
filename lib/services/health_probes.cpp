#include "services/health_probes.hpp"

#include <algorithm>
#include <utility>

namespace axl::services {

namespace {
constexpr Duration kAnswerTimeout = std::chrono::seconds{10};
constexpr Duration kShortest = std::chrono::seconds{1};
constexpr std::size_t kMaxBody = 64UL * 1024;
}  // namespace

struct HealthProbes::Probe {
  std::string name;
  Backend backend;
  ServiceProbe wanted;
  std::unique_ptr<Timer> timer;
  std::unique_ptr<Fetch> fetch;
};

HealthProbes::HealthProbes(Scheduler& scheduler, ResultHandler handler)
    : scheduler_{scheduler}, handler_{std::move(handler)} {}

HealthProbes::~HealthProbes() = default;

void HealthProbes::add(const std::string& name, const Backend& backend, const ServiceProbe& wanted) {
  auto probe = std::make_unique<Probe>();
  probe->name = name;
  probe->backend = backend;
  probe->wanted = wanted;
  probe->wanted.interval = std::max(wanted.interval, kShortest);
  probe->timer = scheduler_.make_timer([this, asked = probe.get()] { ask(*asked); });
  probe->timer->arm(scheduler_.now());
  probes_[name] = std::move(probe);
}

void HealthProbes::remove(std::string_view name) {
  const auto found = probes_.find(name);
  if (found != probes_.end()) probes_.erase(found);
}

void HealthProbes::ask(Probe& probe) {
  probe.timer->arm(scheduler_.now() + probe.wanted.interval);
  FetchRequest request;
  request.target = probe.wanted.path;
  request.headers = {{"Host", probe.backend.host}, {"Accept", "*/*"}};
  probe.fetch = std::make_unique<Fetch>(
      scheduler_, probe.backend.upstream, http::Client{}, std::move(request),
      FetchLimits{.max_body = kMaxBody, .timeout = std::min(kAnswerTimeout, probe.wanted.interval)},
      [](const http::ResponseHead&) { return false; },
      [this, &probe](const Result<http::Response>& answer) {
        const bool healthy = answer && answer->head.status < 500;
        const auto done = std::move(probe.fetch);
        const auto name = probe.name;
        handler_(name, healthy);
      });
}

}  // namespace axl::services
