#include <axl/router.hpp>
#include <utility>

#include "router/dispatcher.hpp"
#include "router/leases.hpp"
#include "router/services.hpp"

namespace axl {

Router::HandlerId Router::on_message(Filter filter, Handler handler) {
  return dispatcher_->add_handler(std::move(filter), std::move(handler));
}

Router::HandlerId Router::on_message(Handler handler) { return dispatcher_->add_handler({}, std::move(handler)); }

Router::HandlerId Router::on_topic(std::string topic, Handler handler) {
  return dispatcher_->add_handler([topic = std::move(topic)](const Message& message) { return message.topic == topic; },
                                  std::move(handler));
}

Router::HandlerId Router::on_sender(const PublicKey& peer, Handler handler) {
  return dispatcher_->add_handler([peer](const Message& message) { return message.sender == peer; },
                                  std::move(handler));
}

void Router::remove(HandlerId id) { dispatcher_->remove_handler(id); }

std::optional<Message> Router::receive(const Selection& wanted) { return dispatcher_->receive(wanted); }

std::optional<Router::Leased> Router::lease(const Selection& wanted, Duration time) {
  return leases_->lease(wanted, time);
}

Router::WaitId Router::lease_next(const Selection& wanted, LeaseHandler handler, Duration time) {
  return leases_->lease_next(wanted, std::move(handler), time);
}

void Router::stop_waiting(WaitId id) { leases_->stop_waiting(id); }

bool Router::confirm(LeaseId id) { return leases_->confirm(id); }

bool Router::give_back(LeaseId id) { return leases_->give_back(id); }

Router::QueueStats Router::queue_stats() const { return dispatcher_->stats(); }

Result<void> Router::add_service(std::string name, ServiceAccess access, ServiceHandler handler) {
  if (!handler) return Error{Errc::invalid_argument, "a service needs a handler"};
  return services_->add_handler(std::move(name), std::move(access), std::move(handler));
}

Result<void> Router::add_service(std::string name, const std::string& url, ServiceAccess access,
                                 std::optional<ServiceProbe> probe) {
  return services_->add_url(std::move(name), url, std::move(access), std::move(probe));
}

Result<void> Router::add_service(std::string name, ServiceCommand command, ServiceAccess access) {
  return services_->add_command(std::move(name), std::move(command), std::move(access));
}

bool Router::remove_service(std::string_view name) { return services_->remove(name); }

std::vector<ServiceInfo> Router::services() const { return services_->list(); }

}  // namespace axl
