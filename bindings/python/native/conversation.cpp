#include "conversation.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace axl::python {

std::shared_ptr<Conversation> Conversation::of(Session session, std::shared_ptr<Channel> channel) {
  auto conversation = std::make_shared<Conversation>(std::move(channel));
  conversation->session_ = std::move(session);
  conversation->listen();
  return conversation;
}

Conversation::Conversation(std::shared_ptr<Channel> channel) : channel_{std::move(channel)}, id_{channel_->next_id()} {}

// The handlers do not own us: a session that Python has dropped is closed.
void Conversation::listen() {
  const std::weak_ptr<Conversation> weak = weak_from_this();
  const auto tell = [weak] {
    if (const auto self = weak.lock()) self->tell();
  };
  session_.on_writable(tell);
  session_.on_drained(tell);
  session_.on_end([weak] {
    const auto self = weak.lock();
    if (!self) return;
    {
      const std::lock_guard lock{self->mutex_};
      self->ended_ = true;
    }
    self->tell();
  });
  session_.on_closed([weak](const Error* error) {
    const auto self = weak.lock();
    if (!self) return;
    {
      const std::lock_guard lock{self->mutex_};
      self->ended_ = self->closed_ = true;
      if (error != nullptr) self->error_ = *error;
    }
    self->tell();
  });
}

void Conversation::read_bytes() {
  session_.on_data([weak = weak_from_this()](Bytes data) {
    if (const auto self = weak.lock()) self->on_data(std::move(data));
  });
}

void Conversation::read_messages(std::size_t max_size) {
  session_.on_message(
      [weak = weak_from_this()](MessageBody body) {
        if (const auto self = weak.lock()) self->on_message(std::move(body));
      },
      max_size);
}

void Conversation::on_data(Bytes data) {
  {
    const std::lock_guard lock{mutex_};
    held_ += data.size();
    pieces_.push_back(std::move(data));
  }
  pause_when_full();
  tell();
}

void Conversation::on_message(MessageBody body) {
  {
    const std::lock_guard lock{mutex_};
    held_ += body.size();
    messages_.push_back(std::move(body));
  }
  pause_when_full();
  tell();
}

void Conversation::tell() {
  {
    const std::lock_guard lock{mutex_};
    if (std::exchange(told_, true)) return;
  }
  channel_->push(Channel::Kind::changed, id_, [weak = weak_from_this()]() -> nb::object {
    if (const auto self = weak.lock()) {
      const std::lock_guard lock{self->mutex_};
      self->told_ = false;
    }
    return nb::none();
  });
}

void Conversation::pause_when_full() {
  {
    const std::lock_guard lock{mutex_};
    // One large message may be followed by the next while it is being looked at.
    const bool many = held_ >= kPauseAt && messages_.size() != 1;
    if (paused_ || (!many && messages_.size() < kPauseAtMessages)) return;
    paused_ = true;
  }
  session_.pause();
}

void Conversation::resume_when_low(std::unique_lock<std::mutex> lock) {
  const bool many = held_ > kPauseAt / 2 && messages_.size() != 1;
  if (!paused_ || many || messages_.size() > kPauseAtMessages / 2) return;
  paused_ = false;
  lock.unlock();
  session_.resume();
}

nb::bytes Conversation::take_bytes(std::size_t most) {
  std::unique_lock lock{mutex_};
  const auto size = std::min(most, held_);
  auto* out = PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(size));
  if (out == nullptr) throw nb::python_error{};
  for (std::size_t done = 0; done < size;) {
    const auto& piece = pieces_.front();
    const auto part = std::min(size - done, piece.size() - used_);
    std::memcpy(PyBytes_AS_STRING(out) + done, piece.data() + used_, part);
    done += part;
    used_ += part;
    if (used_ < piece.size()) continue;
    pieces_.pop_front();
    used_ = 0;
  }
  held_ -= size;
  resume_when_low(std::move(lock));
  return nb::steal<nb::bytes>(out);
}

std::optional<MessageBody> Conversation::take_message() {
  std::unique_lock lock{mutex_};
  if (messages_.empty()) return {};
  std::optional<MessageBody> out{std::move(messages_.front())};
  messages_.pop_front();
  held_ -= out->size();
  resume_when_low(std::move(lock));
  return out;
}

std::size_t Conversation::held() const {
  const std::lock_guard lock{mutex_};
  return held_;
}

bool Conversation::ended() const {
  const std::lock_guard lock{mutex_};
  return ended_;
}

bool Conversation::closed() const {
  const std::lock_guard lock{mutex_};
  return closed_;
}

std::optional<Error> Conversation::error() const {
  const std::lock_guard lock{mutex_};
  return error_;
}

}  // namespace axl::python
