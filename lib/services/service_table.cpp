#include "services/service_table.hpp"

#include <algorithm>
#include <utility>

#include "crypto/partial_key.hpp"
#include "http/target.hpp"
#include "http/text.hpp"

namespace axl::services {

namespace {

bool is_control(char c) {
  const auto code = static_cast<unsigned char>(c);
  return code < 0x20 || code == 0x7f;
}

}  // namespace

Result<void> check_name(std::string_view name) {
  const auto bad = [](const char* why) { return Error{Errc::invalid_argument, std::string{"service name "} + why}; };
  if (name.empty()) return bad("is empty");
  if (name.size() > ServiceTable::kMaxNameSize) return bad("is longer than 256 bytes");
  if (std::ranges::any_of(name, is_control)) return bad("holds a control character");
  for (std::size_t begin = 0; begin <= name.size();) {
    const auto end = std::min(name.find('/', begin), name.size());
    const auto segment = name.substr(begin, end - begin);
    if (segment.empty()) return bad("has an empty part between slashes");
    if (segment == "." || segment == "..") return bad("has a part that is . or ..");
    begin = end + 1;
  }
  return {};
}

bool may_follow_endpoint(std::string_view suffix) {
  if (suffix.find("..") != std::string_view::npos || suffix.find('\\') != std::string_view::npos) return false;
  for (auto at = suffix.find('%'); at != std::string_view::npos; at = suffix.find('%', at + 1)) {
    for (const std::string_view hidden : {"2e", "2f", "5c", "00"}) {
      if (http::equal_ignoring_case(suffix.substr(at + 1, 2), hidden)) return false;
    }
  }
  return true;
}

std::string_view kind_name(ServiceInfo::Kind kind) noexcept {
  switch (kind) {
    case ServiceInfo::Kind::url: return "url";
    case ServiceInfo::Kind::command: return "command";
    case ServiceInfo::Kind::handler: return "handler";
  }
  return "";
}

bool access_allows(const ServiceAccess& access, const PublicKey& caller) {
  return access.everyone || std::ranges::find(access.allow, caller) != access.allow.end();
}

Result<void> ServiceTable::add(Service service) {
  if (auto valid = check_name(service.info.name); !valid) return valid;
  if (!service.backend.upstream) return Error{Errc::invalid_argument, "service without a backend"};
  for (const auto& key : service.access.allow) {
    if (is_partial(key)) {
      return Error{Errc::invalid_argument, "allow must hold full keys, not partial ones: " + key.to_hex()};
    }
  }
  const auto found = services_.find(service.info.name);
  if (found == services_.end() && services_.size() >= kMaxServices) {
    return Error{Errc::limit_reached, "too many services"};
  }
  service.use = found == services_.end() ? std::make_shared<ServiceUse>() : found->second->use;
  auto name = service.info.name;
  services_[std::move(name)] = std::make_shared<Service>(std::move(service));
  return {};
}

bool ServiceTable::remove(std::string_view name) {
  const auto found = services_.find(name);
  if (found == services_.end()) return false;
  // What it held may look at the table while it goes.
  const auto gone = std::move(found->second);
  services_.erase(found);
  return true;
}

std::optional<ServiceTable::Match> ServiceTable::match(std::string_view path) const {
  std::optional<Match> best;
  std::string name;
  for (std::size_t begin = 0; begin <= path.size();) {
    const auto end = std::min(path.find('/', begin), path.size());
    const auto part = http::percent_decode(path.substr(begin, end - begin));
    if (!part || name.size() + part->size() > kMaxNameSize) break;
    name += *part;
    if (auto service = find(name)) best = Match{std::move(service), std::string{path.substr(end)}};
    name += '/';
    begin = end + 1;
  }
  if (best && !may_follow_endpoint(best->suffix)) return {};
  return best;
}

std::shared_ptr<const Service> ServiceTable::find(std::string_view name) const {
  const auto found = services_.find(name);
  return found == services_.end() ? nullptr : found->second;
}

void ServiceTable::set_healthy(std::string_view name, bool healthy) {
  const auto found = services_.find(name);
  if (found != services_.end()) found->second->info.healthy = healthy;
}

std::vector<ServiceInfo> ServiceTable::list() const {
  std::vector<ServiceInfo> out;
  out.reserve(services_.size());
  for (const auto& [name, service] : services_) {
    out.push_back(service->info);
    out.back().use = *service->use;
  }
  return out;
}

std::vector<ServiceInfo> ServiceTable::list_for(const PublicKey& caller) const {
  std::vector<ServiceInfo> out;
  for (const auto& [name, service] : services_) {
    if (allows(*service, caller)) out.push_back(service->info);
  }
  return out;
}

}  // namespace axl::services
