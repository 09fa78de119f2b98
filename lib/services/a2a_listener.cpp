#include "services/a2a_listener.hpp"

#include <utility>

#include "http/sse.hpp"

namespace axl::services {

void start_event_stream(http::Exchange& exchange) {
  exchange.start(200, {{"Content-Type", "text/event-stream"},
                       {"Cache-Control", "no-cache, no-transform"},
                       {"X-Accel-Buffering", "no"}});
}

void respond_json(http::Exchange& exchange, std::string_view json) {
  exchange.respond(200, {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}},
                   Buffer::copy_of(as_bytes(json)));
}

A2aListener::A2aListener(http::Exchange exchange, const a2a::RpcCall& call, a2a::TaskView view, GoneHandler gone)
    : exchange_{std::move(exchange)},
      id_{call.id},
      dialect_{call.dialect},
      view_{view},
      streams_{call.method == a2a::Method::stream || call.method == a2a::Method::subscribe},
      gone_{std::move(gone)} {
  exchange_.set_events(this);
  if (streams_) start_event_stream(exchange_);
}

void A2aListener::on_task(const a2a::Task& task) {
  if (streams_) send(a2a::encode_task_event(task, dialect_));
}

void A2aListener::on_progress(const a2a::Task& task) {
  if (streams_ && exchange_.writable()) send(a2a::encode_status_event(task, dialect_));
}

void A2aListener::on_artifact(const a2a::Task& task) {
  if (streams_) send(a2a::encode_artifact_event(task, dialect_));
}

void A2aListener::on_end(const a2a::Task& task) {
  exchange_.set_events(nullptr);
  if (streams_) {
    send(a2a::encode_status_event(task, dialect_));
    exchange_.finish();
  } else {
    respond_json(exchange_, a2a::encode_result(id_, a2a::encode_sent(task, dialect_, view_)));
  }
}

void A2aListener::keep_alive() {
  if (streams_ && exchange_.writable()) exchange_.write(Buffer::copy_of(as_bytes(": keep-alive\n\n")));
}

void A2aListener::send(std::string_view event) {
  const auto text = http::encode_sse({.event = {}, .data = a2a::encode_result(id_, event), .id = {}, .retry = {}});
  exchange_.write(Buffer::copy_of(as_bytes(text)));
}

void A2aListener::on_aborted(const Error&) {
  const auto gone = gone_;
  gone(*this);
}

}  // namespace axl::services
