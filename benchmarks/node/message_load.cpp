// Sends messages through one node's local API and takes them from another's, and says what arrived.
//
//   message_load SEND_PORT RECV_PORT DEST_KEY COUNT SIZE CLIENTS
//
// Each client sends COUNT messages of SIZE bytes, one after another, on one keep-alive connection; one reader drains
// the receiver. A message begins with client and number, so loss, repetition and order are seen. Prints one line of
// JSON.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "http.hpp"

namespace {

using Clock = std::chrono::steady_clock;
using axl::bench::Http;
using axl::bench::percentile;

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fprintf(stderr, "message_load SEND_PORT RECV_PORT DEST_KEY COUNT SIZE CLIENTS\n");
    return 2;
  }
  const auto send_port = std::atoi(argv[1]);
  const auto recv_port = std::atoi(argv[2]);
  const std::string dest = argv[3];
  const auto count = static_cast<std::uint32_t>(std::atoi(argv[4]));
  const auto size = std::max<std::size_t>(8, std::strtoull(argv[5], nullptr, 10));
  const auto clients = static_cast<std::uint32_t>(std::atoi(argv[6]));

  std::atomic<std::uint64_t> answered{0};
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint32_t> senders_done{0};
  std::vector<std::vector<std::uint32_t>> arrived(clients, std::vector<std::uint32_t>(count));
  std::uint64_t out_of_order = 0;
  std::uint64_t damaged = 0;
  std::uint64_t received = 0;
  std::vector<std::vector<double>> latencies(clients);

  const auto start = Clock::now();
  auto last = start;
  std::thread reader{[&] {
    Http http{recv_port};
    std::vector<std::int64_t> newest(clients, -1);
    for (;;) {
      const auto finished = senders_done.load() == clients;
      const auto status = http.ask("GET /recv?wait=1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", {});
      if (status == 200) {
        ++received;
        last = Clock::now();
        const auto& body = http.body();
        std::uint32_t client = 0;
        std::uint32_t number = 0;
        if (body.size() != size) {
          ++damaged;
          continue;
        }
        std::memcpy(&client, body.data(), 4);
        std::memcpy(&number, body.data() + 4, 4);
        if (client >= clients || number >= count) {
          ++damaged;
          continue;
        }
        const auto fill = static_cast<char>('a' + (client + number) % 26);
        if (body.find_first_not_of(fill, 8) != std::string::npos) ++damaged;
        ++arrived[client][number];
        if (static_cast<std::int64_t>(number) < newest[client]) ++out_of_order;
        newest[client] = number;
      } else if (finished) {
        break;
      }
    }
  }};
  std::vector<std::thread> senders;
  for (std::uint32_t client = 0; client < clients; ++client) {
    senders.emplace_back([&, client] {
      Http http{send_port};
      std::string body(size, 'x');
      const auto head = "POST /send HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Destination-Peer-Id: " + dest +
                        "\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n";
      for (std::uint32_t number = 0; number < count; ++number) {
        std::fill(body.begin(), body.end(), static_cast<char>('a' + (client + number) % 26));
        std::memcpy(body.data(), &client, 4);
        std::memcpy(body.data() + 4, &number, 4);
        const auto before = Clock::now();
        const auto status = http.ask(head, body);
        latencies[client].push_back(std::chrono::duration<double, std::micro>(Clock::now() - before).count());
        if (status == 200) {
          ++answered;
        } else {
          ++refused;
          arrived[client][number] += 1'000'000;  // not promised
        }
      }
      ++senders_done;
    });
  }
  for (auto& sender : senders) sender.join();
  const auto sent_at = Clock::now();
  reader.join();

  std::uint64_t lost = 0;
  std::uint64_t repeated = 0;
  for (const auto& numbers : arrived) {
    for (const auto seen : numbers) {
      if (seen == 0) ++lost;
      if (seen % 1'000'000 > 1) ++repeated;
    }
  }
  std::vector<double> all;
  for (const auto& part : latencies) all.insert(all.end(), part.begin(), part.end());
  const auto seconds = std::chrono::duration<double>(std::max(sent_at, last) - start).count();
  std::printf(
      "{\"clients\":%u,\"size\":%zu,\"answered\":%llu,\"refused\":%llu,\"received\":%llu,\"lost\":%llu,\"repeated\":%"
      "llu,"
      "\"out_of_order\":%llu,\"damaged\":%llu,\"seconds\":%.3f,\"per_second\":%.0f,\"mb_per_second\":%.1f,"
      "\"p50_us\":%.0f,\"p99_us\":%.0f}\n",
      clients, size, static_cast<unsigned long long>(answered), static_cast<unsigned long long>(refused),
      static_cast<unsigned long long>(received), static_cast<unsigned long long>(lost),
      static_cast<unsigned long long>(repeated), static_cast<unsigned long long>(out_of_order),
      static_cast<unsigned long long>(damaged), seconds, static_cast<double>(received) / seconds,
      static_cast<double>(received) * static_cast<double>(size) / seconds / 1e6, percentile(all, 0.5),
      percentile(all, 0.99));
  return lost == 0 && repeated == 0 && damaged == 0 ? 0 : 1;
}
