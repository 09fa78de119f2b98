// What an exchange and its connection share. Outlives either one.
#pragma once

#include <memory>

#include "http/exchange.hpp"
#include "http/status_counts.hpp"

namespace axl::http {

class ServerConnection;

/// How far an exchange has come: all that begins anew with each.
struct ExchangeProgress {
  enum class Answer : std::uint8_t { none, begun, finished };
  /// `raw`: of another protocol, both ways.
  enum class BodyFraming : std::uint8_t { none, length, chunked, until_close, raw };

  ServerConnection* connection = nullptr;  // null once it is gone
  ExchangeEvents* events = nullptr;
  StatusCounts* counts = nullptr;  // where the answer is counted

  bool reading = false;  // the handler has asked for the body
  bool paused = false;   // and wants no more of it now
  bool body_complete = false;
  bool body_end_told = false;
  bool continue_sent = false;
  bool client_ended = false;
  bool wants_writable = false;
  std::optional<std::uint64_t> watched;  // its handler wants to hear when so much was sent
  std::uint64_t body_received = 0;

  Answer answer = Answer::none;
  BodyFraming framing = BodyFraming::none;
  std::uint64_t length_left = 0;  // of an answer with a length
  std::uint64_t end_offset = 0;   // where the finished answer ends in what the connection has written
};

struct ExchangeState : ExchangeProgress {
  RequestHead request;
  Client client;
  BodyHandler body_handler;                  // set while collecting
  std::unique_ptr<BodyCollector> collector;  // set while collecting; goes first: the handler may own its budget
  SentHandler sent_handler;
  Headers added;  // to whatever answer comes

  /// For the next request, in the memory of the last one.
  void renew() {
    static_cast<ExchangeProgress&>(*this) = {};
    collector.reset();
    body_handler = nullptr;
    sent_handler = nullptr;
    added.clear();
  }
};

}  // namespace axl::http
