// Does the work whose instructions are counted: each hot path some times over, once it is warm.
//
// Run by check.py under callgrind, which counts between the marks and writes a part of its output for each. By itself
// it only shows that the paths work.
#include <valgrind/callgrind.h>

#include <chrono>
#include <cstdio>
#include <utility>
#include <vector>

#include "http_pair.hpp"
#include "node/loop.hpp"
#include "numbered.hpp"
#include "queue_work.hpp"
#include "sealed_pair.hpp"
#include "stack_pair.hpp"
#include "star.hpp"

using namespace axl;
using namespace axl::bench;

namespace {

// The part's name holds what check.py needs to know.
template <class Work>
void count(const char* name, int times, Work work) {
  for (int i = 0; i < 20; ++i) work();
  CALLGRIND_START_INSTRUMENTATION;
  for (int i = 0; i < times; ++i) work();
  CALLGRIND_STOP_INSTRUMENTATION;
  char text[128];
  std::snprintf(text, sizeof text, "%d x %s", times, name);
  CALLGRIND_DUMP_STATS_AT(text);
}

void sealing() {
  SealedPair pair{16'200};
  for (const auto& [name, size] : {std::pair{"a packet of 1280 bytes sealed and opened", 1'280UL},
                                   std::pair{"a packet of 16200 bytes sealed and opened", 16'200UL}}) {
    auto packet = pair.packet(size);
    // Copied each time, as a node makes a new packet: with room in front for the headers.
    count(name, 100, [&] {
      packet = pair.carry(Buffer::copy_of(packet, Buffer::kHeadroom));
      require(packet.size() == size, "a packet comes out as it went in");
    });
  }
}

void forwarding() {
  Star star{10, 200};
  std::vector<Bytes> messages;
  for (std::size_t i = 0; i < star.paths(); ++i) messages.push_back(star.traffic(i, 1'280));
  std::size_t next = 0;
  count("a packet forwarded, of 200 flows among 10 neighbours", 1'000, [&] {
    star.forward(next, messages[next]);
    next = (next + 1) % messages.size();
  });
  count("a packet of one's own sent, the same flow again", 1'000,
        [&] { star.send(0, Buffer::copy_of(ByteSpan{messages[0]}.first(1'280), Buffer::kHeadroom)); });
}

void requests() {
  HttpPair pair;
  count("an HTTP request of 1 KiB parsed and answered", 200, [&] { pair.ask(1'024); });
}

void queue() {
  QueueWork work{100};
  count("a message queued and read", 1'000, [&] { work.pass(); });
}

void streams() {
  StackPair small{16'200};
  count("1 KiB each way over TCP", 200, [&] { small.exchange(1'024); });
  StackPair large{16'200};
  count("256 KiB over TCP", 20, [&] { large.carry(256UL * 1024, 64UL * 1024); });
  StackPair narrow{1'280};
  count("64 KiB over TCP in packets of 1280 bytes", 20, [&] { narrow.carry(64UL * 1024, 64UL * 1024); });
}

// What a frame loop pays for a node that has nothing to do; the system call comes on top.
void idling() {
  node::Loop loop{RunMode::poll, nullptr};
  count("a poll() that finds nothing to do", 1'000, [&] {
    require(loop.poll(std::chrono::milliseconds{1}, {}) == 0, "there is nothing to do");
  });
}

}  // namespace

int main() {
  idling();
  sealing();
  forwarding();
  requests();
  queue();
  streams();
  return 0;
}
