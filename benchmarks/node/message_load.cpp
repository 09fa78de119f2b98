// Sends messages through one node's local API and takes them from another's, and says what arrived.
//
//   message_load SEND_PORT RECV_PORT DEST_KEY COUNT SIZE CLIENTS
//   message_load SEND_PORT RECV_PORT DEST_KEY COUNT SIZE round-trip
//
// Each client sends COUNT messages of SIZE bytes, one after another, on one keep-alive connection; one reader drains
// the receiver. A message begins with client and number, so loss, repetition and order are seen. `round-trip`: one
// message at a time, timed from the start of its `/send` to its arrival at a reader that waits for it. Prints one line
// of JSON.
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

constexpr std::string_view kDrain = "GET /recv HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
constexpr std::string_view kReceive = "GET /recv?wait=1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

// A message begins with who sent it and its number; the rest is one letter, by both.
struct Message {
  std::uint32_t client = 0;
  std::uint32_t number = 0;
  [[nodiscard]] char letter() const { return static_cast<char>('a' + (client + number) % 26); }
};

void write(const Message& message, std::string& body) {
  std::memset(body.data(), message.letter(), body.size());
  std::memcpy(body.data(), &message, sizeof message);
}

Message head_of(std::string_view body) {
  Message message;
  std::memcpy(&message, body.data(), sizeof message);
  return message;
}

// All bytes after the head are the same letter exactly if each equals the one before it.
bool intact(const Message& message, std::string_view body) {
  const auto rest = body.substr(sizeof message);
  return rest.empty() ||
         (rest.front() == message.letter() && std::memcmp(rest.data(), rest.data() + 1, rest.size() - 1) == 0);
}

int round_trips(int send_port, int recv_port, const std::string& head, std::uint32_t count, std::size_t size) {
  Http sender{send_port};
  Http reader{recv_port};
  std::string body(size, 'x');
  std::vector<double> trips;
  std::uint64_t damaged = 0;
  for (std::uint32_t number = 0; number < count; ++number) {
    const Message message{0, number};
    write(message, body);
    reader.send(kReceive);
    const auto before = Clock::now();
    sender.send(head, body);
    if (reader.answer() != 200 || reader.body().size() != size || head_of(reader.body()).number != number ||
        !intact(message, reader.body())) {
      ++damaged;
    }
    trips.push_back(std::chrono::duration<double, std::micro>(Clock::now() - before).count());
    if (sender.answer() != 200) ++damaged;
  }
  std::printf("{\"round_trips\":%u,\"size\":%zu,\"damaged\":%llu,\"p50_us\":%.0f,\"p99_us\":%.0f}\n", count, size,
              static_cast<unsigned long long>(damaged), percentile(trips, 0.5), percentile(trips, 0.99));
  return damaged == 0 ? 0 : 1;
}

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
  const auto head = "POST /send HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Destination-Peer-Id: " + dest +
                    "\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n";
  if (std::string_view{argv[6]} == "round-trip") return round_trips(send_port, recv_port, head, count, size);
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
      const auto status = http.ask(finished ? kDrain : kReceive, {});
      if (status == 200) {
        ++received;
        last = Clock::now();
        const auto body = http.body();
        const auto message = body.size() == size ? head_of(body) : Message{clients, count};
        const auto [client, number] = message;
        if (client >= clients || number >= count) {
          ++damaged;
          continue;
        }
        if (!intact(message, body)) ++damaged;
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
      for (std::uint32_t number = 0; number < count; ++number) {
        write({client, number}, body);
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
      "\"out_of_order\":%llu,\"damaged\":%llu,\"seconds\":%.3f,\"per_second\":%.1f,\"mb_per_second\":%.1f,"
      "\"p50_us\":%.0f,\"p99_us\":%.0f}\n",
      clients, size, static_cast<unsigned long long>(answered), static_cast<unsigned long long>(refused),
      static_cast<unsigned long long>(received), static_cast<unsigned long long>(lost),
      static_cast<unsigned long long>(repeated), static_cast<unsigned long long>(out_of_order),
      static_cast<unsigned long long>(damaged), seconds, static_cast<double>(received) / seconds,
      static_cast<double>(received) * static_cast<double>(size) / seconds / 1e6, percentile(all, 0.5),
      percentile(all, 0.99));
  return lost == 0 && repeated == 0 && damaged == 0 ? 0 : 1;
}
