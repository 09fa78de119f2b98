// A blocking HTTP client for measurements, and percentiles.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace axl::bench {

class Http {
 public:
  explicit Http(int port) : socket_{::socket(AF_INET, SOCK_STREAM, 0)} {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("connect");
    int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  Http(const Http&) = delete;
  Http& operator=(const Http&) = delete;
  ~Http() { ::close(socket_); }

  // Sends one request and reads its answer; returns the status, leaves the body in body().
  int ask(std::string_view head, std::string_view content) {
    out_.assign(head);
    out_.append(content);
    send(out_);
    std::size_t end = 0;
    while ((end = in_.find("\r\n\r\n")) == std::string::npos) read_more();
    const auto status = std::atoi(in_.c_str() + 9);
    std::size_t length = 0;
    if (const auto at = in_.find("Content-Length: "); at != std::string::npos && at < end) {
      length = std::strtoull(in_.c_str() + at + 16, nullptr, 10);
    }
    while (in_.size() < end + 4 + length) read_more();
    body_.assign(in_, end + 4, length);
    in_.erase(0, end + 4 + length);
    return status;
  }
  [[nodiscard]] const std::string& body() const { return body_; }

  void send(std::string_view text) {
    for (std::size_t sent = 0; sent < text.size();) {
      const auto count = ::send(socket_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) fail("send");
      sent += static_cast<std::size_t>(count);
    }
  }
  /// What has come up to the next `end`, which is taken away too.
  std::string read_to(std::string_view end) {
    std::size_t at = 0;
    while ((at = in_.find(end)) == std::string::npos) read_more();
    auto text = in_.substr(0, at);
    in_.erase(0, at + end.size());
    return text;
  }

 private:
  [[noreturn]] static void fail(const char* what) {
    std::perror(what);
    std::exit(1);
  }
  void read_more() {
    const auto before = in_.size();
    in_.resize(before + 256 * 1024);
    const auto count = ::recv(socket_, in_.data() + before, in_.size() - before, 0);
    if (count <= 0) fail("recv");
    in_.resize(before + static_cast<std::size_t>(count));
  }

  int socket_;
  std::string out_;
  std::string in_;
  std::string body_;
};

inline double percentile(std::vector<double>& values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, static_cast<std::size_t>(share * static_cast<double>(values.size())))];
}

}  // namespace axl::bench
