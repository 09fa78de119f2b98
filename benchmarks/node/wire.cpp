// A slow or lossy path between two network namespaces: what netem does, for kernels without it.
//
//   wire NAMESPACE NAMESPACE DELAY_MS LOSS_PERCENT RATE_MBIT QUEUE_MS
//
// Makes a TUN device `wire` in each namespace (files such as /proc/PID/ns/net) and carries packets between them, both
// ways alike: each is lost with the given chance; otherwise it waits for its turn at the given rate (0: no limit) unless
// it would wait longer than QUEUE_MS, then it is dropped too; and it arrives DELAY_MS later, one way. Prints `ready`, runs
// until it is killed. Where nothing is lost and no rate is set, the kernel hands over trains of segments that it has not cut
// yet, as with netem on a veth pair: else a fast path would cost more than the nodes.
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <random>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::nanoseconds;

constexpr std::size_t kLargest = 64 * 1024 + 10;  // with a virtio_net_hdr
constexpr std::size_t kMostWaiting = 64 * 1024;  // packets, each way
constexpr int kBatch = 64;                       // packets, before the other way has its turn

struct Shape {
  nanoseconds delay{};
  double loss = 0;
  double nanoseconds_per_byte = 0;
  nanoseconds longest_queue{};
};

struct Packet {
  Clock::time_point due;
  std::vector<char> bytes;  // behind a header that says how to cut it
};

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

int open_device(const char* network, bool trains) {
  const int space = ::open(network, O_RDONLY);
  if (space < 0 || ::setns(space, CLONE_NEWNET) != 0) fail(network);
  ::close(space);
  const int device = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK);
  if (device < 0) fail("/dev/net/tun");
  ifreq request{};
  std::strncpy(request.ifr_name, "wire", IFNAMSIZ - 1);
  request.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR;
  if (::ioctl(device, TUNSETIFF, &request) != 0) fail("TUNSETIFF");
  if (trains && ::ioctl(device, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4) != 0) fail("TUNSETOFFLOAD");
  return device;
}

class Direction {
 public:
  Direction(int from, int to, const Shape& shape, unsigned seed) : from_{from}, to_{to}, shape_{shape}, dice_{seed} {}

  void take() {
    for (int count = 0; count < kBatch; ++count) {
      const auto size = ::read(from_, room_.data(), room_.size());
      if (size <= 0) return;
      const auto now = Clock::now();
      if (chance_(dice_) < shape_.loss || waiting_.size() > kMostWaiting || free_ - now > shape_.longest_queue) continue;
      free_ = std::max(free_, now) + nanoseconds{static_cast<long>(shape_.nanoseconds_per_byte * static_cast<double>(size))};
      waiting_.push_back({free_ + shape_.delay, {room_.data(), room_.data() + size}});
    }
  }
  void hand_on() {
    const auto now = Clock::now();
    while (!waiting_.empty() && waiting_.front().due <= now) {
      static_cast<void>(::write(to_, waiting_.front().bytes.data(), waiting_.front().bytes.size()));
      waiting_.pop_front();
    }
  }
  /// When the next one is due; in an hour if none waits.
  [[nodiscard]] Clock::time_point next() const {
    return waiting_.empty() ? Clock::now() + std::chrono::hours{1} : waiting_.front().due;
  }

 private:
  int from_;
  int to_;
  Shape shape_;
  std::mt19937 dice_;
  std::uniform_real_distribution<double> chance_{0, 1};
  std::vector<char> room_ = std::vector<char>(kLargest);
  std::deque<Packet> waiting_;
  Clock::time_point free_{};  // when all that was let in will have left
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fprintf(stderr, "wire NAMESPACE NAMESPACE DELAY_MS LOSS_PERCENT RATE_MBIT QUEUE_MS\n");
    return 2;
  }
  ::prctl(PR_SET_TIMERSLACK, 1);
  ::setpriority(PRIO_PROCESS, 0, -20);  // if it may: a busy machine does not make the path longer
  const auto milliseconds = [](const char* text) { return nanoseconds{static_cast<long>(std::atof(text) * 1e6)}; };
  const auto rate = std::atof(argv[5]);
  const Shape shape{milliseconds(argv[3]), std::atof(argv[4]) / 100, rate > 0 ? 8000 / rate : 0, milliseconds(argv[6])};
  const bool trains = shape.loss == 0 && rate <= 0;
  const int first = open_device(argv[1], trains);
  const int second = open_device(argv[2], trains);
  Direction there{first, second, shape, 1};
  Direction back{second, first, shape, 2};
  std::puts("ready");
  std::fflush(stdout);
  for (;;) {
    const auto left = std::max(nanoseconds{0}, nanoseconds{std::min(there.next(), back.next()) - Clock::now()});
    const timespec timeout{left.count() / 1'000'000'000, left.count() % 1'000'000'000};
    std::array<pollfd, 2> devices{{{first, POLLIN, 0}, {second, POLLIN, 0}}};
    if (::ppoll(devices.data(), devices.size(), &timeout, nullptr) < 0) fail("poll");
    there.take();
    back.take();
    there.hand_on();
    back.hand_on();
  }
}
