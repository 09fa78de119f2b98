// A stream over two pipes: one to write to, one to read from. What a process of ours has for standard input and output.
//
// As SocketStream, with two differences that pipes have: an other end that stops reading does not end what it sends
// (the rest of what was written is dropped, and on_closed tells why once it has ended too), and abort() has no reset to
// send. Writing never raises SIGPIPE. Lives on one loop, which must outlive it.
#pragma once

#include <asio/io_context.hpp>
#include <axl/result.hpp>
#include <memory>

#include "core/stream.hpp"

namespace axl::net {

struct PipeOptions {
  std::size_t high_mark = 64UL * 1024;
  std::size_t low_mark = 32UL * 1024;
};

class PipeStream final : public Stream {
 public:
  /// Takes both descriptors, also when it fails.
  [[nodiscard]] static Result<std::unique_ptr<PipeStream>> adopt(asio::io_context& context, int reading, int writing,
                                                                 const PipeOptions& options = {});
  ~PipeStream() override;

  void set_handler(StreamHandler* handler) override;
  void write(Buffer data) override;
  [[nodiscard]] std::size_t unsent() const override;
  [[nodiscard]] std::size_t high_mark() const override;
  void pause_reading() override;
  void resume_reading() override;
  void shutdown_send() override;
  void close() override;
  void abort() override;

 private:
  class Pipes;
  explicit PipeStream(std::shared_ptr<Pipes> pipes) : pipes_{std::move(pipes)} {}
  std::shared_ptr<Pipes> pipes_;
};

}  // namespace axl::net
