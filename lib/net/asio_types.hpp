// Asio's objects bound to io_context itself: smaller and cheaper than with the polymorphic executor.
#pragma once

#include <asio/basic_socket_acceptor.hpp>
#include <asio/basic_stream_socket.hpp>
#include <asio/basic_waitable_timer.hpp>
#include <asio/error.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <axl/error.hpp>
#include <chrono>
#include <string>
#include <system_error>

namespace axl::net {

using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;
using SteadyTimer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;

/// Asio has a category of its own for the system's errors, which does not compare equal to std::errc values.
[[nodiscard]] inline std::error_code plain_code(const std::error_code& code) noexcept {
  if (code.category() == asio::error::get_system_category()) return {code.value(), std::system_category()};
  return code;
}

/// "receive: Connection reset by peer".
[[nodiscard]] inline Error system_failure(const std::error_code& code, const std::string& doing) {
  return {plain_code(code), doing + ": " + code.message()};
}

}  // namespace axl::net
