#include "http/routes.hpp"

#include <algorithm>
#include <utility>

namespace axl::http {

namespace {

std::string html_escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&#34;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

void redirect_to_path(Exchange& exchange, std::string path) {
  const auto& target = exchange.request().target;
  if (target.has_query()) path.append("?").append(target.query());
  redirect(exchange, path);
}

}  // namespace

void redirect(Exchange& exchange, std::string_view location) {
  Headers headers{{"Location", location}};
  std::string body;
  if (exchange.request().is("GET") || exchange.request().is("HEAD")) {
    headers.add("Content-Type", "text/html; charset=utf-8");
    body = "<a href=\"" + html_escape(location) + "\">Moved Permanently</a>.\n\n";
  }
  exchange.respond(301, headers, Buffer::copy_of(as_bytes(body)));
}

void Routes::add(std::string path, std::vector<std::string> methods, RequestHandler handler) {
  routes_.push_back({std::move(path), std::move(methods), std::make_shared<const RequestHandler>(std::move(handler))});
}

void Routes::each_count(const std::function<void(std::string_view, const StatusCounts&)>& see) const {
  for (const auto& route : routes_) see(route.path, *route.counts);
  see("other", *other_);
}

const Routes::Route* Routes::find(std::string_view path) const noexcept {
  const Route* best = nullptr;
  for (const auto& route : routes_) {
    if (route.path == path) return &route;
    const bool inside = route.path.ends_with('/') && path.starts_with(route.path);
    if (inside && (best == nullptr || route.path.size() > best->path.size())) best = &route;
  }
  return best;
}

void Routes::serve(Exchange exchange) const {
  exchange.count_answer(other_.get());
  const std::string_view path = exchange.request().target.path();
  if (path.find("//") != std::string_view::npos || path.find("/.") != std::string_view::npos) {
    if (auto clean = clean_path(path); clean != path) {
      redirect_to_path(exchange, std::move(clean));
      return;
    }
  }
  const auto* route = find(path);
  if (route == nullptr || path.empty()) {
    const auto subtree = std::string{path} + "/";
    const bool tree = std::any_of(routes_.begin(), routes_.end(), [&](const Route& r) { return r.path == subtree; });
    if (tree) {
      redirect_to_path(exchange, subtree);
    } else {
      exchange.respond_error(404, "404 page not found");
    }
    return;
  }
  exchange.count_answer(route->counts.get());
  const auto& methods = route->methods;
  if (!methods.empty() && std::find(methods.begin(), methods.end(), exchange.request().method) == methods.end()) {
    std::string allow;
    for (const auto& method : methods) allow += (allow.empty() ? "" : ", ") + method;
    exchange.respond_error(405, "Method not allowed", {{"Allow", allow}});
    return;
  }
  const auto handler = route->handler;  // it may destroy these routes
  (*handler)(std::move(exchange));
}

}  // namespace axl::http
