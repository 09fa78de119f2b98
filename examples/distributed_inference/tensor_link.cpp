// The tensor exchange over sessions, in C++: speaks with exchange.py as with itself. Prints a line of JSON for each
// test, whose tensors are of float32. With --plain the same bytes go without a map around them.
//
//   tensor_link recv LISTEN_URI                                      prints its key and URI; ends on SIGTERM or SIGINT
//   tensor_link bandwidth [--plain] KEY URI ROWSxCOLUMNS:ROUNDS...
#include <axl/axl.hpp>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "seeded_values.hpp"
#include "tensor_message.hpp"

namespace tensor_link {
namespace {

constexpr std::uint16_t kTensorPort = 4000;
constexpr std::uint16_t kPlainPort = 4001;
constexpr std::size_t kMaxMessage = (std::size_t{1} << 30) + 4096;
constexpr std::size_t kMostKept = std::size_t{1} << 26;  // bytes of a test's tensors that are kept until its end
constexpr std::size_t kSample = 1024;                   // of the others, one element in so many is compared
constexpr std::uint64_t kSeed = 42;

double timestamp() {
  return std::chrono::duration<double>{std::chrono::system_clock::now().time_since_epoch()}.count();
}

template <class T>
T need(axl::Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "tensor_link: %s\n", result.error().text().c_str());
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

// What the main thread has to do, said by handlers, which must not take long.
class Work {
 public:
  void add(std::function<void()> task) {
    const std::lock_guard lock{mutex_};
    tasks_.push_back(std::move(task));
    added_.notify_one();
  }
  void run_one() {
    std::unique_lock lock{mutex_};
    added_.wait(lock, [&] { return !tasks_.empty(); });
    const auto task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
  }

 private:
  std::mutex mutex_;
  std::condition_variable added_;
  std::deque<std::function<void()>> tasks_;
};

// One sender's session. The tensors of a test are kept until its last is there, then compared with what they have to
// be, on the main thread, so that this takes nothing from the rate. Beyond 64 MiB (always the first, whatever its size)
// they are let go at once, as programs do with what they have used.
class Receiver : public std::enable_shared_from_this<Receiver> {
 public:
  Receiver(axl::Session session, Work& work) : session_{std::move(session)}, work_{work} {}

  void listen() {
    const auto self = shared_from_this();
    session_.on_message([self](const axl::MessageBody& body) { self->on_message(body); }, kMaxMessage);
    session_.on_end([self] { self->session_.close(); });
    session_.on_closed([self](const axl::Error*) {});
  }

 private:
  void on_message(const axl::MessageBody& body) {
    auto message = parse(body);
    if (!message) return refuse(message.error());
    if (message->type != "bandwidth_test" && message->type != "warmup" && message->type != "tensor_test") return;
    if (!message->tensor) return refuse({axl::Errc::malformed, "a message without a tensor"});
    if (message->type != "bandwidth_test") {
      std::printf("{\"received\": \"%s\", \"bytes\": %zu}\n", message->type.c_str(), message->tensor->data.size());
      return;
    }
    on_test(*std::move(message));
  }

  void on_test(TensorMessage message) {
    auto& tensor = *message.tensor;
    if (tensor.dtype != "float32") return refuse({axl::Errc::malformed, "a test is of float32"});
    ++test_.count;
    test_.seed = message.seed;
    if (test_.kept.empty() || test_.kept_bytes + tensor.data.size() <= kMostKept) {
      test_.kept_bytes += tensor.data.size();
      test_.kept.push_back(std::move(tensor.data));
    } else {
      test_.right = test_.right && is_seeded(tensor.data, message.seed, kSample);
    }
    if (test_.count < message.rounds) return;
    answer({{"type", std::string{"bandwidth_received"}}, {"test_name", message.test_name}, {"timestamp", timestamp()}});
    work_.add([self = shared_from_this(), test = std::exchange(test_, {}), name = message.test_name] {
      bool verified = test.right;
      for (const auto& one : test.kept) verified = verified && is_seeded(one, test.seed);
      self->answer({{"type", std::string{"bandwidth_ack"}}, {"test_name", name}, {"verified", verified},
                    {"in_full", std::uint64_t{test.kept.size()}}, {"timestamp", timestamp()}});
    });
  }

  void answer(const Fields& fields) {
    if (const auto sent = send(session_, fields); !sent) refuse(sent.error());
  }

  void refuse(const axl::Error& error) {
    std::fprintf(stderr, "tensor_link: %s: %s\n", session_.peer().to_hex().c_str(), error.text().c_str());
    session_.abort();
  }

  axl::Session session_;
  Work& work_;
  struct Test {
    std::uint64_t count = 0;
    std::uint64_t seed = 0;
    std::vector<axl::MessageBody> kept;
    std::size_t kept_bytes = 0;
    bool right = true;
  } test_;
};

// A sender of --plain: how many messages come, then these. Nothing is kept.
void receive_plain(axl::Session accepted) {
  auto session = std::make_shared<axl::Session>(std::move(accepted));
  session->on_message(
      [session, left = std::make_shared<unsigned long>(0)](const axl::MessageBody& body) {
        if (*left == 0) {
          *left = std::strtoul(std::string{body.text().substr(0, 20)}.c_str(), nullptr, 10);
        } else if (--*left == 0 && !session->send_message(axl::to_bytes("done"))) {
          session->abort();
        }
      },
      kMaxMessage);
  session->on_end([session] { session->close(); });
  session->on_closed([session](const axl::Error*) mutable { session.reset(); });
}

int receive(const char* uri) {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);  // before there are threads: one of ours waits for them
  Work work;
  bool over = false;
  axl::NodeConfig config;
  config.listen = {uri};
  const auto node = need(axl::Node::create(config));
  need(node->listen(kTensorPort, [&work](axl::Session session) {
    std::make_shared<Receiver>(std::move(session), work)->listen();
  }));
  need(node->listen(kPlainPort, receive_plain));
  need(node->start());
  std::printf("%s %s\n", node->key().to_hex().c_str(), node->listeners().at(0).c_str());
  std::fflush(stdout);
  std::thread waiting{[&] {
    int signal = 0;
    sigwait(&ends, &signal);
    work.add([&] { over = true; });
  }};
  while (!over) work.run_one();
  waiting.join();
  node->stop();
  return 0;
}

struct Test {
  std::uint64_t rows = 0;
  std::uint64_t columns = 0;
  std::uint64_t rounds = 0;

  [[nodiscard]] std::string name() const { return std::to_string(rows) + "x" + std::to_string(columns); }
};

std::optional<Test> test_of(const char* text) {
  Test out;
  char beyond = 0;
  const auto read = std::sscanf(text, "%lux%lu:%lu%c", &out.rows, &out.columns, &out.rounds, &beyond);
  constexpr std::uint64_t kMost = 1U << 28;
  if (read != 3 || out.rows == 0 || out.columns == 0 || out.rounds == 0) return {};
  if (out.rows > kMost || out.columns > kMost / out.rows) return {};
  return out;
}

class Sender {
 public:
  Sender(const char* key, const char* uri, bool plain) : plain_{plain} {
    axl::NodeConfig config;
    config.peers = {{.uri = uri}};
    node_ = need(axl::Node::create(config));
    need(node_->start());
    const auto port = plain ? kPlainPort : kTensorPort;
    node_->connect(need(axl::PublicKey::from_hex(key)), port, [this](axl::Result<axl::Session> made) {
      session_ = need(std::move(made));
      session_.on_writable([this] { work_.add([] {}); });
      session_.on_message([this](const axl::MessageBody& body) {
        work_.add([this, body] { answers_.push_back(body); });
      });
      session_.on_closed([this](const axl::Error*) { work_.add([this] { closed_ = true; }); });
      work_.add([this] { connected_ = true; });
    });
    wait([this] { return connected_; });
  }

  ~Sender() {
    session_.close();
    while (!closed_) work_.run_one();
    node_->stop();
  }

  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  [[nodiscard]] bool run(const Test& test) {
    const auto elements = test.rows * test.columns;
    const Tensor tensor{.dtype = "float32", .shape = {test.rows, test.columns}, .data = seeded_tensor(kSeed, elements)};
    if (!plain_) need(send(session_, {{"type", std::string{"warmup"}}, {"timestamp", timestamp()}},
                           {.dtype = "float32", .shape = {5, 5}, .data = seeded_tensor(1, 25)}));
    const auto begin = std::chrono::steady_clock::now();
    if (plain_) need(session_.send_message(axl::to_bytes(std::to_string(test.rounds))));
    for (std::uint64_t round = 0; round < test.rounds; ++round) {
      wait([this] { return !session_.congested(); });
      need(plain_ ? session_.send_message(tensor.data) : send(session_, fields(test, round), tensor));
    }
    bool verified = true;
    std::uint64_t in_full = 0;
    const auto first = answer();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    if (!plain_) {
      const auto ack = need(parse(answer()));
      verified = need(parse(first)).type == "bandwidth_received" && ack.type == "bandwidth_ack" && ack.verified;
      in_full = ack.in_full;
    }
    const char* const format =
        R"({"test": "%s", "bytes": %zu, "rounds": %zu, "seconds": %.6f, "verified": %s, "in_full": %zu})";
    std::printf(format, test.name().c_str(), tensor.data.size(), static_cast<std::size_t>(test.rounds), seconds.count(),
                plain_ ? "null" : verified ? "true" : "false", static_cast<std::size_t>(in_full));
    std::printf("\n");
    std::fflush(stdout);
    return verified;
  }

 private:
  static Fields fields(const Test& test, std::uint64_t round) {
    return {{"type", std::string{"bandwidth_test"}}, {"test_name", test.name()}, {"seed", kSeed},
            {"timestamp", timestamp()}, {"round", round}, {"rounds", test.rounds}};
  }

  // Until it holds, or there is no more session that it could come from.
  template <class Condition>
  void wait(Condition condition) {
    while (!condition()) {
      if (closed_) need(axl::Result<void>{axl::Error{axl::Errc::closed, "the peer ended the session"}});
      work_.run_one();
    }
  }

  axl::MessageBody answer() {
    wait([this] { return !answers_.empty(); });
    auto out = std::move(answers_.front());
    answers_.pop_front();
    return out;
  }

  bool plain_;
  Work work_;
  bool connected_ = false;
  bool closed_ = false;
  std::deque<axl::MessageBody> answers_;
  std::unique_ptr<axl::Node> node_;
  axl::Session session_;
};

int bandwidth(std::vector<const char*> arguments) {
  const bool plain = !arguments.empty() && std::string_view{arguments[0]} == "--plain";
  if (plain) arguments.erase(arguments.begin());
  if (arguments.size() < 3) return 2;
  std::vector<Test> tests;
  for (std::size_t i = 2; i < arguments.size(); ++i) {
    const auto test = test_of(arguments[i]);
    if (!test) return 2;
    tests.push_back(*test);
  }
  Sender sender{arguments[0], arguments[1], plain};
  bool verified = true;
  for (const auto& test : tests) verified = sender.run(test) && verified;
  return verified ? 0 : 1;
}

}  // namespace
}  // namespace tensor_link

int main(int argc, char** argv) {
  const std::string_view command = argc > 1 ? argv[1] : "";
  int code = 2;
  if (command == "recv" && argc == 3) code = tensor_link::receive(argv[2]);
  if (command == "bandwidth") code = tensor_link::bandwidth({argv + 2, argv + argc});
  if (code == 2) {
    std::fprintf(stderr, "tensor_link recv LISTEN_URI | bandwidth [--plain] KEY URI ROWSxCOLUMNS:ROUNDS...\n");
  }
  return code;
}
