// A server that requests can be sent to: where connections to it come from.
#pragma once

#include <axl/result.hpp>
#include <functional>
#include <memory>

#include "http/client_connection.hpp"
#include "http/exchange.hpp"

namespace axl::http {

/// One connection, for one request at a time. Destroying it with the request unfinished cuts the connection, which is
/// how a request is cancelled; with the request complete it may be used for another.
class Lease {
 public:
  Lease() = default;
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  virtual ~Lease() = default;
  [[nodiscard]] virtual ClientConnection& connection() noexcept = 0;
  /// It has carried requests before, so the server may have closed it meanwhile.
  [[nodiscard]] virtual bool reused() const noexcept = 0;
};

class Upstream {
 public:
  using LeaseHandler = std::function<void(Result<std::unique_ptr<Lease>> lease)>;
  /// Destroying it: the handler is not called. It may be destroyed inside the handler.
  class Waiting {
   public:
    Waiting() = default;
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    virtual ~Waiting() = default;
  };

  /// `client`: on whose behalf. `fresh`: a connection that was never used. `handler` is called once, never inside this
  /// call; errors are the dialler's, and limit_reached.
  [[nodiscard]] virtual std::unique_ptr<Waiting> acquire(const Client& client, bool fresh, LeaseHandler handler) = 0;
  /// One that was used and is idle, at once. Null: acquire() one.
  [[nodiscard]] virtual std::unique_ptr<Lease> lease_idle(const Client& client) {
    static_cast<void>(client);
    return nullptr;
  }

 protected:
  ~Upstream() = default;
};

}  // namespace axl::http
