#include "bridge/upload.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "router/frame_reader.hpp"

namespace axl::bridge {

namespace {
constexpr std::size_t kArrivedAtMost = 64 * 1024;
constexpr std::size_t kPlacedAtMost = 128 * 1024;
}

class Uploads::Upload final : private http::ExchangeEvents {
 public:
  Upload(Uploads& owner, std::uint64_t id, http::Exchange exchange, const PublicKey& peer, http::Headers extra,
         UploadHandler handler, EarlyHandler early)
      : owner_{owner},
        id_{id},
        extra_{std::move(extra)},
        handler_{std::move(handler)},
        early_{std::move(early)},
        ticket_{owner.gate_.begin(peer, [this] { go_on(); })},
        exchange_{std::move(exchange)} {
    if (owner.digest_ != nullptr) digest_.emplace(*owner.digest_);
    const auto length = exchange_.request().content_length;
    if (length && *length <= owner.max_size_) {
      body_.begin_announced(static_cast<std::size_t>(*length));
    } else {
      body_.begin_unknown(owner.max_size_);
    }
    exchange_.set_events(this);
    exchange_.read_body();
    exchange_.expect_body();
  }
  ~Upload() {
    if (arrival_) arrival_->break_off();
  }

 private:
  void on_body(Buffer piece) override {
    if (waiting_.empty()) {
      waiting_ = std::move(piece);
    } else {
      waiting_.append(piece);  // came before the pause took hold
    }
    go_on();
  }

  // Large bodies come from the kernel into the room that they are sent from.
  MutableByteSpan body_place() override {
    if (paused_ || !waiting_.empty()) return {};
    const auto place = body_.place(kPlacedAtMost);
    return place.empty() || reserve(place.size()) ? place : MutableByteSpan{};
  }

  void on_body_placed(std::size_t size) override {
    granted_ahead_ -= size;
    body_.placed(size);
    on_growth();
  }

  void on_body_end() override {
    ended_ = true;
    if (waiting_.empty()) finish();
  }

  void on_aborted(const Error&) override { owner_.uploads_.erase(id_); }

  void go_on() {
    if (body_.size() + waiting_.size() > owner_.max_size_) {
      refuse(owner_, std::move(exchange_), fmt::format("more than {} bytes", owner_.max_size_), extra_);
      owner_.uploads_.erase(id_);
      return;
    }
    if (!reserve(waiting_.size())) {
      if (!std::exchange(paused_, true)) exchange_.pause_reading();
      return;
    }
    granted_ahead_ -= waiting_.size();
    body_.add(waiting_);
    waiting_ = {};
    on_growth();
  }

  void on_growth() {
    if (digest_) digest_->advance(body_.span());
    if (arrival_) {
      arrival_->grow_to(body_.size());
    } else if (early_ && !ended_ && body_.settled()) {
      offer_early();
    }
    if (ended_) {
      finish();
    } else if (std::exchange(paused_, false)) {
      exchange_.resume_reading();
    }
  }

  // The next `bytes` have their place in the budget.
  [[nodiscard]] bool reserve(std::size_t bytes) {
    if (bytes <= granted_ahead_) return true;
    if (!ticket_.grow(bytes - granted_ahead_)) return false;
    granted_ahead_ = bytes;
    return true;
  }

  // Once it goes on to the peer it must not wait for the budget: what holds the budget may wait behind it.
  void offer_early() {
    const auto early = std::exchange(early_, {});
    const auto body = body_.announced();
    const auto rest = body.size() - body_.size();
    if (rest == 0 || !reserve(rest)) return;
    auto arrival = std::make_shared<Arrival>(body.size(), body_.size());
    if (early(body, arrival)) arrival_ = std::move(arrival);
  }

  void finish() {
    exchange_.set_events(nullptr);
    const auto self = owner_.uploads_.extract(id_);  // lives to the end of this function
    Uploaded upload{.body = body_.finish(), .ticket = std::move(ticket_)};
    if (digest_) upload.digest = digest_->finish(upload.body);
    handler_(std::move(exchange_), std::move(upload));
  }

 public:
  static void refuse(const Uploads& owner, http::Exchange exchange, std::string_view size, const http::Headers& extra) {
    exchange.set_events(nullptr);
    exchange.respond_error(413, fmt::format("Message size {} exceeds maximum {}", size, owner.max_size_), extra);
  }

 private:
  Uploads& owner_;
  std::uint64_t id_;
  http::Headers extra_;
  UploadHandler handler_;
  EarlyHandler early_;  // until it has been asked
  std::shared_ptr<Arrival> arrival_;
  BodyGate::Ticket ticket_;
  std::size_t granted_ahead_ = 0;  // of what has not come
  router::BodyCollector body_;
  std::optional<router::BodyDigest::Running> digest_;
  Buffer waiting_;  // read, and not yet granted by the budget
  bool paused_ = false;
  bool ended_ = false;
  http::Exchange exchange_;
};

Uploads::Uploads(BodyGate& gate, std::size_t max_size, const router::BodyDigest* digest)
    : gate_{gate}, max_size_{max_size}, digest_{digest} {}

Uploads::~Uploads() = default;

std::optional<Uploaded> Uploads::take_arrived(http::Exchange& exchange, const PublicKey& peer) {
  const auto length = exchange.request().content_length;
  if (!length || *length > std::min(kArrivedAtMost, max_size_)) return {};
  auto ticket = gate_.hold(peer, static_cast<std::size_t>(*length));
  if (!ticket.valid()) return {};
  auto bytes = exchange.take_body(kArrivedAtMost);
  if (!bytes) return {};
  Uploaded arrived{.body = {}, .ticket = std::move(ticket)};
  if (!bytes->empty()) {
    auto owner = std::make_shared<const Buffer>(*std::move(bytes));
    const auto view = owner->span();
    arrived.body = MessageBody{std::move(owner), view};
  }
  return arrived;
}

void Uploads::receive(http::Exchange exchange, const PublicKey& peer, http::Headers extra, UploadHandler handler,
                      EarlyHandler early) {
  const auto length = exchange.request().content_length;
  if (length && *length > max_size_) {
    Upload::refuse(*this, std::move(exchange), std::to_string(*length), extra);
    return;
  }
  if (length == 0) {
    handler(std::move(exchange), Uploaded{});
    return;
  }
  const auto id = next_++;
  uploads_.emplace(id, std::make_unique<Upload>(*this, id, std::move(exchange), peer, std::move(extra),
                                                std::move(handler), std::move(early)));
}

}  // namespace axl::bridge
