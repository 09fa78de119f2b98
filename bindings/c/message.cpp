#include "message.hpp"

#include <axl/router.hpp>
#include <utility>

#include "node.hpp"
#include "status.hpp"

using namespace axl::c;

namespace {

void read_report(const axl::Result<axl::SendReport>& report, Item& item) {
  if (report) {
    item.id = report->id;
    item.delivery = static_cast<axl_delivery>(static_cast<int>(report->delivery));
  } else {
    item.status = status_of(report.error());
    item.text = report.error().text();
  }
}

axl::SendOptions to_send_options(const axl_send_options& options) {
  axl::SendOptions out;
  out.id = to_string(options.id);
  out.topic = to_string(options.topic);
  out.receipt = options.no_receipt == 0;
  out.retry_for = std::chrono::milliseconds{options.retry_ms};
  return out;
}

axl_status send(axl_node& node, const axl_key& to, axl::ByteSpan data, const axl_send_options& options) {
  constexpr std::uint64_t kDay = 24ULL * 60 * 60 * 1000;
  if (options.retry_ms > kDay) return fail(AXL_E_INVALID_ARGUMENT, "retry_ms is more than a day");
  auto send_options = to_send_options(options);
  const auto begun = node.operations().begin(
      {.kind = AXL_EVENT_SENT, .user = options.user, .quiet = options.no_event != 0, .key = to});
  if (!begun) return fail(begun.error());
  axl::MessageBody body;
  if (options.release != nullptr) {
    body = Lent::body(std::make_shared<Lent>(
        node.queue(), Release{options.release, options.release_user, data.data(), data.size()}));
  } else {
    body = axl::to_bytes(data);
  }
  node.node().send(to_key(to), std::move(body), std::move(send_options),
                   [operations = node.shared_operations(), operation = *begun](const auto& report) {
                     if (!operations->end(operation)) return;
                     auto item = operations->event_of(*operation);
                     read_report(report, item);
                     operations->report(*operation, std::move(item));
                   });
  return AXL_OK;
}

}  // namespace

extern "C" {

axl_status axl_send(axl_node* node, const axl_key* to, const void* data, size_t size, const axl_send_options* options) {
  if (node == nullptr || to == nullptr) return missing("no node or no key");
  if (data == nullptr && size > 0) return missing("no data");
  return guarded([&] {
    const auto read = read_options(options, AXL_SIZE_UP_TO(axl_send_options, release_user));
    if (!read) return fail(read.error());
    return send(*node, *to, to_span(data, size), *read);
  });
}

const void* axl_message_data(const axl_message* message, size_t* size) {
  return give_bytes(message == nullptr ? axl::ByteSpan{} : message->body.span(), size);
}

const char* axl_message_id(const axl_message* message) { return message == nullptr ? "" : message->id.c_str(); }
const char* axl_message_topic(const axl_message* message) { return message == nullptr ? "" : message->topic.c_str(); }
void axl_message_sender(const axl_message* message, axl_key* sender) {
  give_key(message == nullptr ? axl::PublicKey{} : message->sender, sender);
}

axl_status axl_message_confirm(axl_message* message) {
  if (message == nullptr) return missing("no message");
  return guarded([&] {
    const auto confirmations = std::exchange(message->confirmations, nullptr);
    if (!confirmations) return fail(AXL_E_NOT_FOUND, "the message waits for no confirmation");
    confirmations->settle(message->lease_message, message->lease_reading, true);
    return AXL_OK;
  });
}

void axl_message_free(axl_message* message) { delete message; }

}  // extern "C"
