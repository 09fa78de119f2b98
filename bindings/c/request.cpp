#include "request.hpp"

#include <utility>

#include "message.hpp"
#include "status.hpp"

namespace axl::c {

bool Serving::admit(std::size_t bytes) {
  const std::lock_guard lock{mutex_};
  if (waiting_ >= limit_ || bytes > kMaxWaitingBytes - waiting_bytes_) return false;
  ++waiting_;
  waiting_bytes_ += bytes;
  return true;
}

void Serving::serve(ServiceRequest request, ServiceReply reply) {
  if (!admit(request.body.size())) {
    constexpr std::string_view kBusy = R"({"error":"Too many requests wait for this service"})";
    reply.respond(503, {{"Content-Type", "application/json"}, {"Retry-After", "1"}}, to_bytes(kBusy));
    return;
  }
  Item item{.kind = AXL_EVENT_REQUEST, .user = user_, .source = shared_from_this()};
  item.request = std::make_shared<axl_request>(queue_, std::move(request), std::move(reply), user_);
  const auto begun = item.request;
  queue_->push(std::move(item));
  begun->watch();
}

bool Serving::take(Item& item) {
  {
    const std::lock_guard lock{mutex_};
    --waiting_;
    waiting_bytes_ -= item.request->asked.body.size();
  }
  item.request->hold();
  return true;
}

}  // namespace axl::c

using axl::c::fail;
using axl::c::guarded;
using axl::c::missing;

axl_request::~axl_request() = default;

void axl_request::release() {
  const auto keep = std::exchange(self_, nullptr);
  axl::ServiceReply gone;
  const std::lock_guard lock{mutex_};
  freed_ = true;
  gone = std::move(reply_);
}

void axl_request::watch() {
  const std::lock_guard lock{mutex_};
  const std::weak_ptr<axl_request> weak = weak_from_this();
  reply_.on_cancel([weak] {
    if (const auto self = weak.lock()) self->tell(AXL_EVENT_REQUEST_CANCELLED);
  });
  reply_.on_writable([weak] {
    if (const auto self = weak.lock()) self->tell(AXL_EVENT_REQUEST_WRITABLE);
  });
}

void axl_request::tell(axl_event_kind kind) {
  {
    const std::lock_guard lock{mutex_};
    if (freed_) return;
    if (kind == AXL_EVENT_REQUEST_WRITABLE && std::exchange(writable_waits_, true)) return;
    if (kind == AXL_EVENT_REQUEST_CANCELLED) ended_ = true;
  }
  axl::c::Item item;
  item.kind = kind;
  item.request = shared_from_this();
  item.source = item.request;
  queue_->push(std::move(item));
}

bool axl_request::take(axl::c::Item& item) {
  const std::lock_guard lock{mutex_};
  if (item.kind == AXL_EVENT_REQUEST_WRITABLE) writable_waits_ = false;
  item.user = user;
  return !freed_;
}

template <class Task>
axl_status axl_request::answer(bool ends, Task task) {
  const std::lock_guard lock{mutex_};
  if (ended_) return fail(AXL_E_CLOSED, "the request is answered, or its caller has gone");
  if (!reply_.connected()) return fail(AXL_E_CLOSED, "the caller has gone");
  const auto status = task(reply_, begun_);
  if (status == AXL_OK) {
    begun_ = true;
    ended_ = ends;
  }
  return status;
}

bool axl_request::connected() {
  const std::lock_guard lock{mutex_};
  return reply_.connected();
}

std::size_t axl_request::pending() {
  const std::lock_guard lock{mutex_};
  return reply_.pending();
}

namespace {

axl_status read_headers(int status, const axl_header* headers, std::size_t count, axl::HeaderList& out) {
  if (status < 200 || status > 599) return fail(AXL_E_INVALID_ARGUMENT, "an HTTP status is from 200 to 599");
  if (headers == nullptr && count > 0) return missing("no headers");
  for (std::size_t i = 0; i < count; ++i) {
    if (headers[i].name == nullptr || headers[i].value == nullptr) return missing("a header without name or value");
    out.emplace_back(headers[i].name, headers[i].value);
  }
  return AXL_OK;
}

axl_status begun_already() { return fail(AXL_E_ALREADY_EXISTS, "the answer has begun"); }

}  // namespace

extern "C" {

void axl_request_caller(const axl_request* request, axl_key* caller) {
  axl::c::give_key(request == nullptr ? axl::PublicKey{} : request->asked.caller, caller);
}
const char* axl_request_service(const axl_request* request) {
  return request == nullptr ? "" : request->asked.service.c_str();
}
const char* axl_request_method(const axl_request* request) {
  return request == nullptr ? "" : request->asked.method.c_str();
}
const char* axl_request_path(const axl_request* request) {
  return request == nullptr ? "" : request->asked.path.c_str();
}
const char* axl_request_query(const axl_request* request) {
  return request == nullptr ? "" : request->asked.query.c_str();
}

const char* axl_request_header(const axl_request* request, const char* name) {
  if (request == nullptr || name == nullptr) return nullptr;
  const auto value = request->asked.header(name);
  return value ? value->data() : nullptr;  // a view of a whole string, which ends with a zero
}

int axl_request_header_at(const axl_request* request, size_t index, axl_header* header) {
  if (request == nullptr || header == nullptr || index >= request->asked.headers.size()) return 0;
  const auto& [name, value] = request->asked.headers[index];
  *header = {name.c_str(), value.c_str()};
  return 1;
}

const void* axl_request_body(const axl_request* request, size_t* size) {
  return axl::c::give_bytes(request == nullptr ? axl::ByteSpan{} : axl::ByteSpan{request->asked.body}, size);
}

axl_status axl_request_respond(axl_request* request, int status, const axl_header* headers, size_t header_count,
                               const void* body, size_t size) {
  if (request == nullptr || (body == nullptr && size > 0)) return missing("no request or no body");
  return guarded([&] {
    axl::HeaderList list;
    if (const auto read = read_headers(status, headers, header_count, list); read != AXL_OK) return read;
    return request->answer(true, [&](axl::ServiceReply& reply, bool begun) {
      if (begun) return begun_already();
      reply.respond(status, std::move(list), axl::to_bytes(axl::c::to_span(body, size)));
      return AXL_OK;
    });
  });
}

axl_status axl_request_respond_json(axl_request* request, const char* json) {
  if (json == nullptr) return missing("no JSON");
  const axl_header header{"Content-Type", "application/json"};
  return axl_request_respond(request, 200, &header, 1, json, std::strlen(json));
}

axl_status axl_request_start(axl_request* request, int status, const axl_header* headers, size_t header_count) {
  if (request == nullptr) return missing("no request");
  return guarded([&] {
    axl::HeaderList list;
    if (const auto read = read_headers(status, headers, header_count, list); read != AXL_OK) return read;
    return request->answer(false, [&](axl::ServiceReply& reply, bool begun) {
      if (begun) return begun_already();
      reply.start(status, std::move(list));
      return AXL_OK;
    });
  });
}

axl_status axl_request_write(axl_request* request, const void* data, size_t size) {
  if (request == nullptr || (data == nullptr && size > 0)) return missing("no request or no data");
  return guarded([&] {
    return request->answer(false, [&](axl::ServiceReply& reply, bool) {
      reply.write(axl::to_bytes(axl::c::to_span(data, size)));
      return AXL_OK;
    });
  });
}

axl_status axl_request_finish(axl_request* request) {
  if (request == nullptr) return missing("no request");
  return guarded([&] {
    return request->answer(true, [](axl::ServiceReply& reply, bool) {
      reply.finish();
      return AXL_OK;
    });
  });
}

void axl_request_abort(axl_request* request) {
  if (request == nullptr) return;
  static_cast<void>(guarded([&] {
    return request->answer(true, [](axl::ServiceReply& reply, bool) {
      reply.abort();
      return AXL_OK;
    });
  }));
}

size_t axl_request_pending(const axl_request* request) {
  return request == nullptr ? 0 : const_cast<axl_request*>(request)->pending();
}
int axl_request_connected(const axl_request* request) {
  return request != nullptr && const_cast<axl_request*>(request)->connected() ? 1 : 0;
}
void axl_request_set_user(axl_request* request, void* user) {
  if (request != nullptr) request->user = user;
}
void* axl_request_user(const axl_request* request) { return request == nullptr ? nullptr : request->user.load(); }

void axl_request_free(axl_request* request) {
  if (request != nullptr) request->release();
}

}  // extern "C"
