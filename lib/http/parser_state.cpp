#include "http/parser_state.hpp"

#include "http/text.hpp"

namespace axl::http {

namespace {

constexpr int kProceed = 0;
constexpr int kNoBody = 1;
constexpr int kMaxInformational = 199;

Parser::State& state_of(llhttp_t* core) noexcept { return *static_cast<Parser::State*>(core->data); }

}  // namespace

Parser::State::State(Kind kind_, Limits limits_) : kind{kind_}, limits{limits_} {
  llhttp_settings_init(&settings);
  settings.on_message_begin = [](llhttp_t* core_) { return state_of(core_).on_message_begin(); };
  settings.on_url = [](llhttp_t* core_, const char* at, std::size_t size) {
    state_of(core_).target.append(at, size);
    return kProceed;
  };
  settings.on_status = [](llhttp_t* core_, const char* at, std::size_t size) {
    state_of(core_).response.reason.append(at, size);
    return kProceed;
  };
  settings.on_header_field = [](llhttp_t* core_, const char* at, std::size_t size) {
    return state_of(core_).on_header_field({at, size});
  };
  settings.on_header_value = [](llhttp_t* core_, const char* at, std::size_t size) {
    return state_of(core_).on_header_value({at, size});
  };
  settings.on_header_value_complete = [](llhttp_t* core_) { return state_of(core_).on_header_complete(); };
  settings.on_headers_complete = [](llhttp_t* core_) { return state_of(core_).on_head(); };
  settings.on_body = [](llhttp_t* core_, const char* at, std::size_t size) {
    return state_of(core_).on_body(const_cast<char*>(at), size);  // the input is ours to change
  };
  settings.on_message_complete = [](llhttp_t* core_) {
    auto& state = state_of(core_);
    state.step.end = true;
    state.in_body = false;
    return static_cast<int>(HPE_PAUSED);
  };
  llhttp_init(&core, kind == Kind::requests ? HTTP_REQUEST : HTTP_RESPONSE, &settings);
  core.data = this;
}

int Parser::State::fail(int status, std::string detail) {
  error = {status, std::move(detail)};
  failed = true;
  return HPE_USER;
}

int Parser::State::on_message_begin() {
  in_head = true;
  in_body = false;
  body_bytes = framing_bytes = 0;
  target.clear();
  response.reason.clear();
  headers().clear();
  name_begin = 0;
  return kProceed;
}

int Parser::State::on_header_field(std::string_view piece) {
  if (in_body) return kProceed;  // a trailer: counted as framing, not kept
  if (headers().text_.empty()) name_begin = 0;
  headers().text_.append(piece);
  value_begin = headers().text_.size();
  return kProceed;
}

int Parser::State::on_header_value(std::string_view piece) {
  if (!in_body) headers().text_.append(piece);
  return kProceed;
}

int Parser::State::on_header_complete() {
  if (in_body) return kProceed;
  auto& lines = headers();
  const std::string_view name{lines.text_.data() + name_begin, value_begin - name_begin};
  while (lines.text_.size() > value_begin && (lines.text_.back() == ' ' || lines.text_.back() == '\t')) {
    lines.text_.pop_back();
  }
  const auto value = std::string_view{lines.text_}.substr(value_begin);
  if (!is_token(name)) return fail(400, "invalid header name");
  if (!is_field_value(value)) return fail(400, "invalid header value");
  if (lines.entries_.size() >= limits.head_lines) return fail(431, {});
  lines.names_ |= Headers::bit_of(name);
  lines.entries_.push_back({static_cast<std::uint32_t>(name_begin), static_cast<std::uint32_t>(name.size()),
                            static_cast<std::uint32_t>(value.size())});
  name_begin = value_begin = lines.text_.size();
  return kProceed;
}

int Parser::State::on_head() {
  in_head = false;
  in_body = true;
  core.upgrade = 0;  // we switch to no other protocol: an Upgrade header is a header like any other
  const int verdict = kind == Kind::requests ? check_request() : check_response();
  if (verdict != kProceed) return verdict;
  step.head = true;
  const bool skips = kind == Kind::responses && (no_body || response.status <= kMaxInformational);
  return skips ? kNoBody : static_cast<int>(HPE_PAUSED);
}

int Parser::State::check_request() {
  if (core.http_major != 1 || core.http_minor > 1) return fail(505, "unsupported protocol version");
  if (core.method == HTTP_SOURCE) return fail(400, {});  // speaks another protocol, ICE
  request.version = core.http_minor == 1 ? Version::http_1_1 : Version::http_1_0;
  request.method = llhttp_method_name(static_cast<llhttp_method_t>(core.method));
  auto parsed = Target::parse(std::move(target));
  if (!parsed || parsed->path().empty() != (core.method == HTTP_CONNECT)) return fail(400, "invalid request target");
  request.target = *std::move(parsed);

  const auto hosts = request.headers.count("Host");
  if (hosts > 1) return fail(400, "too many Host headers");
  if (hosts == 0 && request.version == Version::http_1_1) return fail(400, "missing required Host header");
  if (!is_host(request.headers.get("Host").value_or("")) ||
      (request.target.authority() && !is_host(*request.target.authority()))) {
    return fail(400, "malformed Host header");
  }
  if (const int verdict = check_framing(); verdict != kProceed) return verdict;

  request.keep_alive = llhttp_should_keep_alive(&core) != 0;
  const auto expect = request.headers.get("Expect");
  if (expect && !expect->empty() && !equal_ignoring_case(*expect, "100-continue")) return fail(417, {});
  request.expects_continue = expect && !expect->empty() && request.version == Version::http_1_1 && request.has_body();
  return kProceed;
}

int Parser::State::check_response() {
  if (core.http_major != 1 || core.http_minor > 1) return fail(505, "unsupported protocol version");
  response.version = core.http_minor == 1 ? Version::http_1_1 : Version::http_1_0;
  response.status = core.status_code;
  if (response.status < 100 || response.status > 599 || response.status == 101) return fail(502, "unexpected status");
  if (const int verdict = check_framing(); verdict != kProceed) return verdict;
  response.keep_alive = llhttp_should_keep_alive(&core) != 0;
  return kProceed;
}

// One length or one `chunked`, never both: where two readers could disagree about the end, nobody reads on.
int Parser::State::check_framing() {
  auto& lines = headers();
  const auto codings = lines.count("Transfer-Encoding");
  const auto lengths = lines.count("Content-Length");
  const bool old = (kind == Kind::requests ? request.version : response.version) == Version::http_1_0;
  std::optional<std::uint64_t> length = 0;
  if (codings > 0) {
    if (lengths > 0) return fail(400, "both Content-Length and Transfer-Encoding");
    if (old) return fail(400, "Transfer-Encoding in HTTP/1.0");
    if (codings > 1 || !equal_ignoring_case(*lines.get("Transfer-Encoding"), "chunked")) {
      return fail(501, "Unsupported transfer encoding");
    }
    length.reset();
  } else if (lengths > 0) {
    length = parse_decimal(*lines.get("Content-Length"));
    if (!length || lengths > 1) return fail(400, "bad Content-Length");
  } else if (kind == Kind::responses && !no_body && llhttp_message_needs_eof(&core) != 0) {
    length.reset();
  }
  (kind == Kind::requests ? request.content_length : response.content_length) = length;
  return kProceed;
}

int Parser::State::on_body(char* at, std::size_t size) {
  auto& body = step.body;
  body_bytes += size;
  if (body.empty()) {
    body = std::as_writable_bytes(std::span{at, size});
  } else {
    std::memmove(body.data() + body.size(), at, size);
    body = {body.data(), body.size() + size};
  }
  return kProceed;
}

}  // namespace axl::http
