#include "pubsub.hpp"

#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "messages.hpp"
#include "node.hpp"
#include "values.hpp"

namespace axl::python {

Result<void> Subscription::open(PubSub& pubsub, const std::string& topic, bool judged) {
  const std::weak_ptr<Subscription> weak = weak_from_this();
  const auto handler = [weak](const PubSubMessage& message) {
    if (const auto self = weak.lock()) self->take(message);
  };
  PubSub::Judge asked;
  if (judged) {
    asked = [weak](const PubSubMessage& message, const PubSub::Decide& decide) {
      const auto self = weak.lock();
      return self ? self->judge(message, decide) : decide(PubSubVerdict::ignore);
    };
  }
  const auto subscribed = pubsub.subscribe_judged(topic, handler, std::move(asked));
  if (!subscribed) return subscribed.error();
  subscribed_ = *subscribed;
  pubsub_ = &pubsub;
  return {};
}

void Subscription::take(const PubSubMessage& message) {
  {
    const std::lock_guard lock{mutex_};
    if (closed_) return;
    bytes_ += message.body.size();
    ready_.push_back(message);
    while (ready_.size() > most_ || (bytes_ > kMostBytes && ready_.size() > 1)) {
      bytes_ -= ready_.front().body.size();
      ready_.pop_front();
      ++dropped_;
    }
    if (!std::exchange(waited_for_, false)) return;
  }
  channel_->push(Channel::Kind::changed, id_, {});
}

void Subscription::judge(const PubSubMessage& message, const PubSub::Decide& decide) {
  if (++*undecided_ > Undecided::kMost) {
    --*undecided_;
    return decide(PubSubVerdict::ignore);
  }
  auto undecided = std::make_shared<Undecided>(message, decide, undecided_);
  channel_->push(Channel::Kind::arrived, id_, [undecided = std::move(undecided)] { return nb::cast(undecided); });
}

std::optional<PubSubMessage> Subscription::next() {
  const std::lock_guard lock{mutex_};
  if (ready_.empty()) {
    waited_for_ = true;
    return {};
  }
  std::optional<PubSubMessage> out{std::move(ready_.front())};
  ready_.pop_front();
  bytes_ -= out->body.size();
  return out;
}

std::uint64_t Subscription::dropped() const {
  const std::lock_guard lock{mutex_};
  return dropped_;
}

void Subscription::close(Host& host) {
  {
    const std::lock_guard lock{mutex_};
    if (std::exchange(closed_, true)) return;
    ready_.clear();
    bytes_ = 0;
  }
  host.with([this](Node&) { pubsub_->unsubscribe(*subscribed_); });
}

namespace {

nb::object keys_as_list(const std::vector<PublicKey>& keys) {
  nb::list out;
  for (const auto& key : keys) out.append(key.to_hex());
  return nb::object{out};
}

nb::object topics_as_list(const std::vector<PubSub::TopicView>& topics) {
  nb::list out;
  for (const auto& topic : topics) {
    nb::dict one;
    one["name"] = text_of(topic.name);
    one["mesh"] = keys_as_list(topic.mesh);
    one["peers"] = topic.peers;
    out.append(one);
  }
  return nb::object{out};
}

nb::object dict_of(const PubSub::Statistics& statistics) {
  nb::dict out;
  out["peers"] = statistics.peers;
  out["published"] = statistics.published;
  out["delivered"] = statistics.delivered;
  out["received"] = statistics.received;
  out["duplicates"] = statistics.duplicates;
  out["refused"] = statistics.refused;
  out["sent"] = statistics.sent;
  out["kept_messages"] = statistics.kept_messages;
  out["kept_bytes"] = statistics.kept_bytes;
  return nb::object{out};
}

MessageBody copy_of(nb::handle object) {
  Py_buffer view;
  if (PyObject_GetBuffer(object.ptr(), &view, PyBUF_SIMPLE) != 0) throw nb::python_error{};
  MessageBody copy{to_bytes(ByteSpan{static_cast<const std::byte*>(view.buf), static_cast<std::size_t>(view.len)})};
  PyBuffer_Release(&view);
  return copy;
}

PubSubVerdict verdict_of(std::string_view name) {
  if (name == "accept") return PubSubVerdict::accept;
  if (name == "reject") return PubSubVerdict::reject;
  if (name == "ignore") return PubSubVerdict::ignore;
  raise(Error{Errc::invalid_argument, "a verdict is 'accept', 'reject' or 'ignore'"});
}

}  // namespace

void bind_pubsub(nb::module_& module) {
  nb::class_<PubSubMessage>(module, "Published")
      .def_prop_ro("topic", [](const PubSubMessage& self) { return text_of(self.topic); })
      .def_prop_ro("id", [](const PubSubMessage& self) { return text_of(self.id); })
      .def_prop_ro("origin", [](const PubSubMessage& self) { return self.origin.to_hex(); })
      .def_prop_ro("signer",
                   [](const PubSubMessage& self) -> nb::object {
                     if (self.signer == PublicKey{}) return nb::none();
                     return nb::cast(self.signer.to_hex());
                   })
      .def_prop_ro("proved", &PubSubMessage::proved)
      .def_prop_ro("relay", [](const PubSubMessage& self) { return self.from.to_hex(); })
      .def_prop_ro("hops", [](const PubSubMessage& self) { return self.hops; })
      .def_prop_ro("body", [](const PubSubMessage& self) { return view_of(self.body); })
      .def("__len__", [](const PubSubMessage& self) { return self.body.size(); })
      .def("__repr__", [](const PubSubMessage& self) {
        return nb::str("<axl.Published {} of {} bytes from {}>")
            .attr("format")(text_of(self.id), self.body.size(), self.origin.to_hex().substr(0, 16));
      });
  nb::class_<Undecided>(module, "Undecided")
      .def_prop_ro("message", [](const Undecided& self) { return self.message(); })
      .def("decide", [](Undecided& self, std::string_view verdict) { self.decide(verdict_of(verdict)); });
  nb::class_<Subscription>(module, "NativeSubscription")
      .def_prop_ro("id", &Subscription::id)
      .def_prop_ro("dropped", &Subscription::dropped)
      .def("next",
           [](Subscription& self) -> nb::object {
             auto message = self.next();
             if (!message) return nb::none();
             return nb::cast(std::move(*message));
           })
      .def("close", [](Subscription& self, NativeNode& node) { self.close(node.host()); });
}

void bind_pubsub(nb::class_<NativeNode>& type) {
  using Self = NativeNode;
  type.def("set_pubsub",
           [](Self& self, const std::vector<std::string>& peers, bool find_peers, bool signatures, std::size_t max_body, std::uint16_t port,
              bool legacy) {
             self.host().parts().set_pubsub_options({keys_of(peers), find_peers, signatures, max_body, port, legacy});
           })
      .def("publish",
           [](Self& self, std::string topic, nb::handle data) {
             auto body = copy_of(data);
             return self.call_pubsub([topic = std::move(topic), body = std::move(body)](PubSub& pubsub) { return pubsub.publish(topic, body); },
                                     [] { return nb::object{nb::none()}; });
           })
      .def("subscribe",
           [](Self& self, const std::string& topic, bool judged, std::size_t most) {
             if (most == 0) raise(Error{Errc::invalid_argument, "a subscription keeps at least one message"});
             auto subscription = std::make_shared<Subscription>(self.channel(), most);
             auto& pubsub = self.pubsub();
             check(self.host().with([&](Node&) { return subscription->open(pubsub, topic, judged); }));
             return subscription;
           })
      .def("pubsub_topics",
           [](Self& self) {
             return self.call_pubsub([](PubSub& pubsub) { return Result<std::vector<PubSub::TopicView>>{pubsub.topics()}; }, topics_as_list);
           })
      .def("pubsub_peers",
           [](Self& self) {
             return self.call_pubsub([](PubSub& pubsub) { return Result<std::vector<PublicKey>>{pubsub.peers()}; }, keys_as_list);
           })
      .def("pubsub_statistics", [](Self& self) {
        return self.call_pubsub([](PubSub& pubsub) { return Result<PubSub::Statistics>{pubsub.statistics()}; },
                                [](const PubSub::Statistics& value) { return dict_of(value); });
      });
}

}  // namespace axl::python
