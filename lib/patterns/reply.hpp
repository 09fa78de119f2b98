// What the routes of this layer answer alike.
#pragma once

#include <axl/error.hpp>
#include <string>

#include "bridge/reply.hpp"
#include "http/exchange.hpp"

namespace axl::patterns {

/// With a line feed behind `text`.
inline void respond_json(http::Exchange& exchange, std::string text) {
  text += '\n';
  exchange.respond(200, {{"Content-Type", "application/json"}}, Buffer::copy_of(as_bytes(text)));
}

inline void respond_failed(http::Exchange& exchange, const Error& error) {
  if (error.is(Errc::invalid_argument)) return exchange.respond_error(400, error.text());
  if (error.is(Errc::too_large)) return exchange.respond_error(413, error.text());
  if (error.is(Errc::not_supported)) return exchange.respond_error(501, error.text());
  if (error.is(Errc::already_exists)) return exchange.respond_error(409, error.text());
  if (error.is(Errc::limit_reached) || error.is(Errc::busy)) return bridge::respond_busy(exchange, error.text());
  if (error.is(Errc::timed_out)) return exchange.respond_error(504, error.text());
  exchange.respond_error(500, error.text());
}

}  // namespace axl::patterns
