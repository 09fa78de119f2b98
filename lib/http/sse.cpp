#include "http/sse.hpp"

#include <algorithm>
#include <utility>

#include "http/text.hpp"

namespace axl::http {

namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

// A line of a field that may hold no line break: what follows one is not of it.
void append_line(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value.substr(0, value.find_first_of("\r\n"))).append("\n");
}

}  // namespace

Result<void> SseReader::feed(ByteSpan bytes) {
  const Error too_large{Errc::too_large, "an event larger than allowed"};
  if (failed_) return too_large;
  auto text = as_text(bytes);
  while (!text.empty()) {
    if (std::exchange(after_cr_, false) && text.front() == '\n') text.remove_prefix(1);
    const auto end = std::min(text.find_first_of("\r\n"), text.size());
    if (line_.size() + end + event_.data.size() + event_.event.size() + event_.id.size() > max_) {
      failed_ = true;
      line_ = {};
      event_ = {};
      return too_large;
    }
    if (end == text.size()) {
      line_.append(text);
      return {};
    }
    if (line_.empty()) {
      take_line(text.substr(0, end));
    } else {
      line_.append(text.substr(0, end));
      take_line(line_);
      line_.clear();
    }
    after_cr_ = text[end] == '\r';
    text.remove_prefix(end + 1);
  }
  return {};
}

std::optional<SseEvent> SseReader::next() {
  if (ready_.empty()) return std::nullopt;
  auto event = std::move(ready_.front());
  ready_.pop_front();
  return event;
}

void SseReader::take_line(std::string_view line) {
  if (!std::exchange(begun_, true) && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  if (line.empty()) return end_event();
  const auto colon = line.find(':');
  const auto name = line.substr(0, colon);
  auto value = colon == std::string_view::npos ? std::string_view{} : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (name == "data") {
    if (std::exchange(has_data_, true)) event_.data.push_back('\n');
    event_.data.append(value);
  } else if (name == "event") {
    event_.event = value;
  } else if (name == "id") {
    if (value.find('\0') != std::string_view::npos) return;
    event_.id = value;
    told_ = true;
  } else if (name == "retry") {
    const auto number = parse_decimal(value);
    if (!number || !std::in_range<long>(*number)) return;
    event_.retry = static_cast<long>(*number);
    told_ = true;
  }
}

void SseReader::end_event() {
  if (has_data_ || told_) ready_.push_back(std::move(event_));
  event_ = {};
  has_data_ = told_ = false;
}

std::string encode_sse(const SseEvent& event) {
  std::string out;
  out.reserve(event.event.size() + event.data.size() + event.id.size() + 64);
  if (!event.event.empty()) append_line(out, "event", event.event);
  if (!event.id.empty()) append_line(out, "id", event.id);
  if (event.retry) append_line(out, "retry", std::to_string(*event.retry));
  for (std::string_view rest = event.data;;) {
    const auto end = rest.find_first_of("\r\n");
    out.append("data: ").append(rest.substr(0, end)).append("\n");
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + (rest.substr(end, 2) == "\r\n" ? 2U : 1U));
  }
  return out.append("\n");
}

}  // namespace axl::http
