#include "http_pair.hpp"

#include <utility>

#include "http/pipe.hpp"
#include "numbered.hpp"

namespace axl::bench {

std::string send_request(std::size_t body) {
  std::string text =
      "POST /send HTTP/1.1\r\nHost: 127.0.0.1:9002\r\nUser-Agent: python-requests/2.32.3\r\n"
      "Accept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: keep-alive\r\n"
      "X-Destination-Peer-Id: 1111111111111111111111111111111111111111111111111111111111111111\r\n"
      "Content-Type: application/octet-stream\r\nContent-Length: ";
  return text + std::to_string(body) + "\r\n\r\n" + std::string(body, 'x');
}

HttpPair::HttpPair()
    : server_{{}, executor_, [](http::Exchange exchange) {
                std::move(exchange).collect({}, [](http::Exchange answer, const Buffer& body) {
                  answer.respond(200,
                                 {{"Content-Type", "application/octet-stream"},
                                  {"X-Sent-Bytes", std::to_string(body.size())},
                                  {"X-Axl-Message-Id", "4f1cb1a04dd54bb0a5fa6b1de5cbdb2c"},
                                  {"X-Axl-Delivered", "1"}},
                                 {});
                });
              }} {
  auto [client, server] = http::make_pipe(executor_);
  client_ = std::move(client);
  client_->set_handler(this);
  server_.accept(std::move(server), {}, Time{});
  executor_.run();
}

void HttpPair::ask(std::size_t size) {
  if (request_.empty() || request_size_ != size) request_ = send_request(request_size_ = size);
  received_.clear();
  client_->write(Buffer::copy_of(as_bytes(request_)));
  executor_.run();
  require(received_.starts_with("HTTP/1.1 200") && received_.ends_with("\r\n\r\n"), "a request is answered");
}

}  // namespace axl::bench
