#include "net/socket_stream.hpp"

#include <utility>

namespace axl::net {

SocketStream::SocketStream(Socket socket, std::unique_ptr<Transport> transport, const StreamOptions& options)
    : connection_{std::make_shared<Connection>(std::move(socket), std::move(transport), options)} {}

SocketStream::~SocketStream() { connection_->detach(); }

void SocketStream::set_handler(StreamHandler* handler) { connection_->set_handler(handler); }
void SocketStream::write(Buffer data) { connection_->write(std::move(data)); }
std::size_t SocketStream::unsent() const { return connection_->unsent(); }
std::size_t SocketStream::high_mark() const { return connection_->high_mark(); }
void SocketStream::pause_reading() { connection_->pause_reading(); }
void SocketStream::resume_reading() { connection_->resume_reading(); }
void SocketStream::shutdown_send() { connection_->shutdown_send(); }
void SocketStream::close() { connection_->close(); }
void SocketStream::abort() { connection_->abort(); }
void SocketStream::flush() { connection_->flush(); }
const StreamCounters& SocketStream::counters() const noexcept { return connection_->counters(); }

}  // namespace axl::net
