// The parser's inside: llhttp with its callbacks. Included by the parser's sources only.
#pragma once

#include <llhttp.h>

#include <cstring>

#include "http/parser.hpp"

namespace axl::http {

struct Parser::State {
  State(Kind kind_, Limits limits_);

  llhttp_t core{};
  llhttp_settings_t settings{};
  Kind kind;
  Limits limits;
  RequestHead request;
  ResponseHead response;
  std::string target;
  ParseError error;
  Step step;
  std::size_t head_bytes = 0;       // of the head being read
  std::uint64_t body_bytes = 0;     // of the message being read
  std::uint64_t framing_bytes = 0;  // chunk sizes, extensions and trailers of it
  bool in_head = false;
  bool in_body = false;
  bool no_body = false;
  bool failed = false;
  std::size_t name_begin = 0;  // of the header line being read, in its Headers' text
  std::size_t value_begin = 0;

  [[nodiscard]] Headers& headers() noexcept { return kind == Kind::requests ? request.headers : response.headers; }
  int fail(int status, std::string detail);

  int on_message_begin();
  int on_header_field(std::string_view piece);
  int on_header_value(std::string_view piece);
  int on_header_complete();
  int on_head();
  int on_body(char* at, std::size_t size);

  int check_request();
  int check_response();
  int check_framing();
};

}  // namespace axl::http
