// Which handler serves which path: exact paths, and subtrees that begin with a path ending in `/`.
//
// A path with empty, `.` or `..` segments is answered with a redirect to the clean one, and `/tree` with one to
// `/tree/` when only the subtree is served. Paths are compared as written: `%2e%2e` is a name like any other. The
// longest subtree wins, an exact path before any subtree.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/server.hpp"
#include "http/status_counts.hpp"

namespace axl::http {

class Routes {
 public:
  /// Serves `path`; a path ending in `/` is a subtree. `methods` empty: any; other methods get 405 with Allow.
  void add(std::string path, std::vector<std::string> methods, RequestHandler handler);

  /// Answers by the handler in charge: 404, 405 and 301 by itself.
  void serve(Exchange exchange) const;

  /// Answers so far, of each route and of what is none. They must outlive the server.
  void each_count(const std::function<void(std::string_view route, const StatusCounts& counts)>& see) const;
  /// Where what is no route is counted, and what never comes here.
  [[nodiscard]] StatusCounts& other() const noexcept { return *other_; }

 private:
  struct Route {
    std::string path;
    std::vector<std::string> methods;
    std::shared_ptr<const RequestHandler> handler;
    std::unique_ptr<StatusCounts> counts = std::make_unique<StatusCounts>();
  };
  [[nodiscard]] const Route* find(std::string_view path) const noexcept;

  std::vector<Route> routes_;
  std::unique_ptr<StatusCounts> other_ = std::make_unique<StatusCounts>();
};

/// 301 to `location`, with a body for people as far as the method allows one.
void redirect(Exchange& exchange, std::string_view location);

}  // namespace axl::http
