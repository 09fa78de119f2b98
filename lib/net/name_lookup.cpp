#include "net/name_lookup.hpp"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <asio/executor_work_guard.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace axl::net {

namespace {

using Addresses = std::vector<asio::ip::address>;

Result<Addresses> ask_system(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const auto failure = ::getaddrinfo(host.c_str(), nullptr, &hints, &found); failure != 0) {
    return Error{Errc::not_found, "look up " + host + ": " + ::gai_strerror(failure)};
  }
  Addresses addresses;
  for (const auto* entry = found; entry != nullptr; entry = entry->ai_next) {
    asio::ip::tcp::endpoint endpoint;
    if (entry->ai_addrlen > endpoint.capacity()) continue;
    std::memcpy(endpoint.data(), entry->ai_addr, entry->ai_addrlen);
    const auto address = endpoint.address();
    if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) addresses.push_back(address);
  }
  ::freeaddrinfo(found);
  return addresses;
}

}  // namespace

struct NameLookup::State {
  std::mutex mutex;
  asio::io_context* context = nullptr;  // under the mutex; null once nobody waits
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work;  // keeps the loop running meanwhile
  Done done;                                                                       // on the loop only
};

NameLookup::NameLookup(asio::io_context& context, const std::string& host, Done done)
    : state_{std::make_shared<State>()} {
  state_->context = &context;
  state_->work.emplace(context.get_executor());
  state_->done = std::move(done);
  auto deliver = [state = state_](Result<Addresses> result) {
    const std::lock_guard lock{state->mutex};
    if (state->context == nullptr) return;
    asio::post(*state->context, [state, result = std::move(result)]() mutable {
      state->work.reset();
      if (const auto call = std::exchange(state->done, nullptr)) call(std::move(result));
    });
  };
  try {
    std::thread{[host, deliver] { deliver(ask_system(host)); }}.detach();
  } catch (const std::system_error& failure) {
    deliver(Error{failure.code(), "look up " + host + ": no thread to do it"});
  }
}

NameLookup::~NameLookup() {
  state_->done = nullptr;
  const std::lock_guard lock{state_->mutex};
  state_->context = nullptr;
  state_->work.reset();
}

}  // namespace axl::net
