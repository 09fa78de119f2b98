// Many neighbours of one node: each with a key of its own, a TLS link of its own and a routing engine behind it, all on
// one loop. Puts load through the node in the middle, from one leaf to another.
//
//   leaves HOST PORT COUNT
//
// Says `up` when every link is up and every leaf stands in one tree with its neighbours. Then, for every line
// `FLOWS WINDOW SECONDS` on standard input: FLOWS pairs of leaves, each with WINDOW packets of 1280 bytes under way, for
// so long; prints one line of JSON when it begins and one when it has ended. Ends with standard input.
#include <unistd.h>

#include <algorithm>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/read_until.hpp>
#include <asio/streambuf.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <istream>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "link/link.hpp"
#include "net/dialer.hpp"
#include "net/timer.hpp"
#include "numbered.hpp"
#include "overlay/engine.hpp"

using namespace axl;
using namespace axl::bench;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kPayload = 1'280;
constexpr std::size_t kDialsAtOnce = 16;
constexpr auto kSettled = 2s;     // nothing has changed for so long
constexpr auto kGivenUp = 5s;  // a flow of which nothing has arrived for so long has lost its packets

class Leaf final : private StreamHandler {
 public:
  struct Owner {
    virtual ~Owner() = default;
    virtual void on_up() = 0;
    virtual void on_datagram(Leaf& leaf) = 0;
  };

  Leaf(asio::io_context& context, const PrivateKey& key, Owner& owner)
      : key_{key},
        owner_{owner},
        engine_{overlay::Config{}, key_, crypto::verify, rng_, 1'700'000'000s, clock_.now()},
        timer_{context, clock_, [this] { on_timer(); }} {}

  [[nodiscard]] const PublicKey& key() const noexcept { return key_.public_key(); }
  [[nodiscard]] const overlay::Engine& engine() const noexcept { return engine_; }

  void start(std::unique_ptr<Stream> stream) {
    stream_ = std::move(stream);
    link_.emplace(key_, link::Link::Options{}, link::Link::Limits{}, clock_.now());
    stream_->set_handler(this);
    carry();
  }
  void send(const PublicKey& dest, ByteSpan payload) {
    require(engine_.send(dest, Buffer::copy_of(payload, Buffer::kHeadroom), clock_.now()).ok(), "a datagram is taken");
    carry();
  }

 private:
  void on_data(Buffer data) override {
    auto rest = data.span();
    while (auto event = link_->read(rest, clock_.now())) {
      if (const auto* peer = std::get_if<link::Link::Established>(&*event)) {
        require(engine_.on_link_up(kLink, peer->key, peer->priority, clock_.now()).ok(), "a link comes up");
        owner_.on_up();
      } else {
        const auto& message = std::get<link::Link::Message>(*event);
        require(engine_.on_message(kLink, message.bytes, clock_.now(), message.rtt).ok(), "a message is taken");
      }
    }
    carry();
  }
  void on_end() override { require(false, "a link stays up"); }
  void on_writable() override { carry(); }
  void on_drained() override { carry(); }
  void on_closed(const Error* error) override {
    require(false, error != nullptr ? error->text().c_str() : "a link stays up");
  }

  void on_timer() {
    const auto now = clock_.now();
    if (const auto due = engine_.next_tick(); due && *due <= now) engine_.on_tick(now);
    if (link_) link_->on_tick(now);
    carry();
  }

  // Engine to link, link to stream, deliveries to the owner, and the one timer.
  void carry() {
    if (std::exchange(carrying_, true)) return;
    const auto now = clock_.now();
    while (auto output = engine_.poll_output()) {
      if (auto* frame = std::get_if<overlay::SendFrame>(&*output)) {
        link_->send(std::move(frame->message), {.source = frame->source, .dest = frame->dest, .own = frame->own}, now);
      } else if (std::holds_alternative<overlay::Deliver>(*output)) {
        owner_.on_datagram(*this);
      } else if (std::holds_alternative<overlay::LinkProven>(*output)) {
        link_->set_proven(now);
      }
    }
    if (link_) write(now);
    auto next = engine_.next_tick();
    if (const auto idle = link_ ? link_->next_tick() : std::nullopt) next = next ? std::min(*next, *idle) : idle;
    if (next) timer_.arm(*next);
    carrying_ = false;
  }
  void write(Time now) {
    link_->on_unsent(stream_->unsent(), now);
    while (auto output = link_->poll_output()) {
      auto* bytes = std::get_if<link::Link::Write>(&*output);
      require(bytes != nullptr, "a link stays up");
      stream_->write(std::move(bytes->bytes));
      link_->on_unsent(stream_->unsent(), now);
    }
  }

  static constexpr overlay::LinkId kLink{1};
  const PrivateKey key_;
  Owner& owner_;
  net::SteadyClock clock_;
  crypto::SystemRng rng_;
  overlay::Engine engine_;
  std::optional<link::Link> link_;
  std::unique_ptr<Stream> stream_;
  net::Timer timer_;
  bool carrying_ = false;
};

class Leaves final : private Leaf::Owner {
 public:
  Leaves(asio::io_context& context, std::string host, std::uint16_t port, std::size_t count)
      : context_{context},
        host_{std::move(host)},
        port_{port},
        tls_{net::TlsContext::dialler().value()},
        settle_{context, clock_, [this] { look(); }},
        load_{context, clock_, [this] { on_load_timer(); }},
        input_{context, ::dup(0)},
        payload_{numbered_bytes(1, kPayload)} {
    Leaf::Owner& owner = *this;  // out here the base is not to be seen
    for (std::size_t i = 0; i < count; ++i) {
      leaves_.push_back(std::make_unique<Leaf>(context, PrivateKey::generate(), owner));
      numbers_.emplace(leaves_.back()->key(), i);
    }
    for (std::size_t i = 0; i < std::min(count, kDialsAtOnce); ++i) dial();
  }

 private:
  void dial() {
    if (next_ == leaves_.size()) return;
    const auto number = next_++;
    net::Dialer::Options options;
    options.tls = tls_;
    dials_[number] = std::make_unique<net::Dialer>(context_, host_, port_, std::move(options),
                                                   [this, number](Result<net::Dialed> dialed) {
                                                     require(dialed.ok(), "the node answers");
                                                     leaves_[number]->start(std::move(dialed->stream));
                                                     dials_.erase(number);
                                                   });
  }
  void on_up() override {
    ++up_;
    dial();
    if (up_ == leaves_.size()) settle_.arm(clock_.now() + kSettled);
  }

  // All leaves under one root, with coordinates that stay.
  void look() {
    std::vector<wire::Path> places;
    const auto root = leaves_.front()->engine().root();
    auto whole = true;
    for (const auto& leaf : leaves_) {
      places.push_back(leaf->engine().coords());
      whole = whole && leaf->engine().root() == root;
    }
    if (!whole || std::exchange(places_, places) != places) return settle_.arm(clock_.now() + kSettled);
    std::printf("up\n");
    read();
  }

  void read() {
    asio::async_read_until(input_, text_, '\n', [this](const std::error_code& failure, std::size_t) {
      if (failure) return context_.stop();
      std::istream line{&text_};
      std::size_t flows = 0;
      double seconds = 0;
      line >> flows >> window_ >> seconds;
      line.ignore(1);
      require(flows > 0 && 2 * flows <= leaves_.size() && window_ > 0 && seconds > 0, "FLOWS WINDOW SECONDS");
      begin(flows, std::chrono::duration_cast<Duration>(std::chrono::duration<double>{seconds}));
    });
  }

  struct Flow {
    std::size_t from = 0;
    std::size_t to = 0;
    std::size_t under_way = 0;
    std::size_t arrived = 0;
    std::size_t seen = 0;  // of those, at the last look
  };

  void begin(std::size_t flows, Duration time) {
    flows_.clear();
    flow_to_.assign(leaves_.size(), nullptr);
    flows_.resize(flows);
    // Spread over all leaves; a root among them would be the end of a path and not its middle, like any other.
    for (std::size_t i = 0; i < flows; ++i) {
      const auto step = leaves_.size() / (2 * flows);
      flows_[i] = {.from = 2 * i * step, .to = (2 * i + 1) * step};
      flow_to_[flows_[i].to] = &flows_[i];
    }
    lost_ = 0;
    time_ = time;
    begun_.reset();
    for (auto& flow : flows_) send(flow);  // the first packet waits for the path, and only one can
    load_.arm(clock_.now() + kGivenUp);
  }
  void start_clock() {
    begun_ = clock_.now();
    end_ = *begun_ + time_;
    std::printf("{\"flows\":%zu}\n", flows_.size());
    load_.arm(*begun_ + kGivenUp);
    for (auto& flow : flows_) {
      flow.arrived = 0;
      fill(flow);
    }
  }
  void send(Flow& flow) {
    ++flow.under_way;
    leaves_[flow.from]->send(leaves_[flow.to]->key(), payload_);
  }
  void fill(Flow& flow) {
    while (flow.under_way < window_) send(flow);
  }
  void on_datagram(Leaf& leaf) override {
    auto* flow = flow_to_.empty() ? nullptr : flow_to_[numbers_.at(leaf.key())];
    if (flow == nullptr) return;
    ++flow->arrived;
    if (flow->under_way > 0) --flow->under_way;
    if (begun_) {
      if (clock_.now() < end_) fill(*flow);
    } else if (std::ranges::all_of(flows_, [](const Flow& any) { return any.arrived > 0; })) {
      start_clock();
    }
  }
  void on_load_timer() {
    const auto now = clock_.now();
    if (!begun_) {  // what the warming-up has lost
      for (auto& flow : flows_) {
        if (flow.arrived == 0) send(flow);
      }
      return load_.arm(now + kGivenUp);
    }
    if (now < end_) {
      for (auto& flow : flows_) {
        if (std::exchange(flow.seen, flow.arrived) != flow.arrived) continue;
        lost_ += std::exchange(flow.under_way, 0);
        fill(flow);
      }
      return load_.arm(std::min(end_, now + kGivenUp));
    }
    std::size_t arrived = 0;
    std::size_t least = flows_.front().arrived;
    for (const auto& flow : flows_) {
      arrived += flow.arrived;
      least = std::min(least, flow.arrived);
    }
    std::printf("{\"packets\":%zu,\"least\":%zu,\"lost\":%zu,\"seconds\":%.3f}\n", arrived, least, lost_,
                std::chrono::duration<double>(now - *begun_).count());
    flow_to_.clear();
    read();
  }

  asio::io_context& context_;
  const std::string host_;
  const std::uint16_t port_;
  const net::TlsContext tls_;
  net::SteadyClock clock_;
  net::Timer settle_;
  net::Timer load_;
  asio::posix::stream_descriptor input_;
  asio::streambuf text_;
  const Bytes payload_;
  std::vector<std::unique_ptr<Leaf>> leaves_;
  std::unordered_map<PublicKey, std::size_t> numbers_;
  std::unordered_map<std::size_t, std::unique_ptr<net::Dialer>> dials_;
  std::size_t next_ = 0;
  std::size_t up_ = 0;
  std::vector<wire::Path> places_;
  std::vector<Flow> flows_;
  std::vector<Flow*> flow_to_;  // by the number of the leaf at its end
  std::size_t window_ = 0;
  std::size_t lost_ = 0;
  Duration time_{};
  std::optional<Time> begun_;  // set once every flow has its path
  Time end_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 || std::atol(argv[3]) < 2) {
    std::fprintf(stderr, "leaves HOST PORT COUNT\n");
    return 2;
  }
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  asio::io_context context{1};
  Leaves leaves{context, argv[1], static_cast<std::uint16_t>(std::atoi(argv[2])),
                static_cast<std::size_t>(std::atol(argv[3]))};
  context.run();
  return 0;
}
