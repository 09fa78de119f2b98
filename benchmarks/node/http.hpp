// A blocking HTTP client for measurements: costs little itself, so that the node is what is measured.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
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
  /// To a socket file.
  explicit Http(const std::string& path) : socket_{::socket(AF_UNIX, SOCK_STREAM, 0)} {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("connect");
  }
  Http(const Http&) = delete;
  Http& operator=(const Http&) = delete;
  ~Http() { ::close(socket_); }

  /// Sends one request and reads its answer; returns the status. body() is valid until the next call.
  int ask(std::string_view head, std::string_view content) {
    send(head, content);
    return answer();
  }
  /// The next answer, when several requests are under way.
  int answer() {
    body_size_ = 0;
    consume(answer_size_);
    std::size_t end = 0;
    while ((end = pending().find("\r\n\r\n")) == std::string_view::npos) read_more(1);
    const auto text = pending().substr(0, end);
    const auto status = std::atoi(text.data() + 9);
    std::size_t length = 0;
    if (const auto at = text.find("Content-Length: "); at != std::string_view::npos) {
      length = std::strtoull(text.data() + at + 16, nullptr, 10);
    }
    answer_size_ = end + 4 + length;
    while (pending().size() < answer_size_) read_more(answer_size_ - pending().size());
    body_at_ = end + 4;
    body_size_ = length;
    return status;
  }
  [[nodiscard]] std::string_view body() const { return pending().substr(body_at_, body_size_); }

  void send(std::string_view head, std::string_view content = {}) {
    while (!head.empty() || !content.empty()) {
      std::array<iovec, 2> parts{
          {{const_cast<char*>(head.data()), head.size()}, {const_cast<char*>(content.data()), content.size()}}};
      const auto count = ::writev(socket_, parts.data(), 2);
      if (count <= 0) fail("send");
      const auto of_head = std::min(head.size(), static_cast<std::size_t>(count));
      head.remove_prefix(of_head);
      content.remove_prefix(static_cast<std::size_t>(count) - of_head);
    }
  }
  /// What has come up to the next `end`, which is taken away too.
  std::string read_to(std::string_view end) {
    consume(std::exchange(answer_size_, 0));
    std::size_t at = 0;
    while ((at = pending().find(end)) == std::string_view::npos) read_more(1);
    std::string text{pending().substr(0, at)};
    consume(at + end.size());
    return text;
  }

 private:
  static constexpr std::size_t kRoom = 256 * 1024;

  [[noreturn]] static void fail(const char* what) {
    std::perror(what);
    std::exit(1);
  }
  [[nodiscard]] std::string_view pending() const { return {in_.get() + from_, to_ - from_}; }
  void consume(std::size_t count) {
    from_ += count;
    if (from_ == to_) from_ = to_ = 0;
    answer_size_ = 0;
  }
  void read_more(std::size_t wanted) {
    if (capacity_ - to_ < std::max(wanted, kRoom / 4)) {
      const auto size = to_ - from_;
      const auto room = std::max(kRoom, 2 * (size + wanted));
      auto larger = room > capacity_ ? std::make_unique_for_overwrite<char[]>(room) : nullptr;
      auto* const to = larger ? larger.get() : in_.get();
      std::memmove(to, in_.get() + from_, size);
      if (larger) {
        in_ = std::move(larger);
        capacity_ = room;
      }
      from_ = 0;
      to_ = size;
    }
    const auto count = ::recv(socket_, in_.get() + to_, capacity_ - to_ - 1, 0);
    if (count <= 0) fail("recv");
    to_ += static_cast<std::size_t>(count);
    in_[to_] = '\0';
  }

  int socket_;
  std::unique_ptr<char[]> in_ = std::make_unique_for_overwrite<char[]>(kRoom);
  std::size_t capacity_ = kRoom;
  std::size_t from_ = 0;
  std::size_t to_ = 0;
  std::size_t answer_size_ = 0;
  std::size_t body_at_ = 0;
  std::size_t body_size_ = 0;
};

inline double percentile(std::vector<double>& values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, static_cast<std::size_t>(share * static_cast<double>(values.size())))];
}

}  // namespace axl::bench
