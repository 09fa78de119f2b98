#include "bridge/mesh_headers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "http/forwarding.hpp"
#include "http/text.hpp"
#include "services/backend_request.hpp"
#include "services/service_table.hpp"

namespace axl::bridge {

namespace {

bool is_hostile(std::string_view name) {
  constexpr std::array<std::string_view, 12> names{"Set-Cookie",
                                                   "Set-Cookie2",
                                                   "Clear-Site-Data",
                                                   "Service-Worker-Allowed",
                                                   "Refresh",
                                                   "Alt-Svc",
                                                   "Report-To",
                                                   "Reporting-Endpoints",
                                                   "NEL",
                                                   "Content-Security-Policy-Report-Only",
                                                   "X-From-Peer-Id",
                                                   "Content-Length"};
  const auto is = [name](std::string_view other) { return http::equal_ignoring_case(name, other); };
  return std::ranges::any_of(names, is) || http::starts_ignoring_case(name, "Access-Control-") ||
         http::starts_ignoring_case(name, "X-Axl-");
}

}  // namespace

http::Headers headers_for_peer(const http::Headers& incoming) {
  const http::ConnectionNames named{incoming};
  http::Headers out;
  out.add_from(incoming,
               [&](const auto& line) { return !services::stays_behind(line.name) && !named.contains(line.name); });
  return out;
}

void tame_answer(http::Headers& headers) {
  headers.remove_if([](const http::Headers::Line& line) { return is_hostile(line.name); });
  headers.set("Content-Security-Policy", "sandbox; default-src 'none'");
  headers.set("X-Content-Type-Options", "nosniff");
}

void tame_location(http::Headers& headers, const a2a::CardPlace& place, bool can_lead) {
  const auto location = headers.get("Location");
  if (!location) return;
  const bool once = headers.count("Location") == 1;
  const auto led = a2a::rewrite_card_url(*location, place);
  if (once && !led) return;
  headers.remove("Location");
  if (once && can_lead && services::may_follow_endpoint(*led)) headers.add("Location", *led);
}

// FNV-1a; the tag only has to differ.
CardTags::CardTags(std::string_view variant) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const char c : variant) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  suffix_ = fmt::format("-axl-{:016x}\"", hash);
}

void CardTags::mark(http::Headers& headers) const {
  const auto tag = headers.get("ETag");
  if (!tag) return;
  std::string marked{http::trim(*tag)};
  if (!marked.ends_with('"') || marked.size() < 2) {
    headers.remove("ETag");
    return;
  }
  marked.pop_back();
  headers.set("ETag", (marked.starts_with("W/") ? "" : "W/") + marked + suffix_);
}

void CardTags::unmark(http::Headers& headers) const {
  std::string out;
  for (auto list : headers.get_all("If-None-Match")) {
    if (http::trim(list) == "*") {
      out = "*";
      break;
    }
    // Elements are quoted, and what is quoted may hold commas.
    for (auto begin = list.find('"'); begin != std::string_view::npos; begin = list.find('"')) {
      const auto end = list.find('"', begin + 1);
      if (end == std::string_view::npos) break;
      const auto tag = list.substr(begin, end - begin + 1);
      if (tag.ends_with(suffix_)) {
        const std::string theirs = std::string{tag.substr(0, tag.size() - suffix_.size())} + '"';
        out += (out.empty() ? "" : ", ") + theirs + ", W/" + theirs;
      }
      list.remove_prefix(end + 1);
    }
  }
  headers.remove("If-None-Match");
  if (!out.empty()) headers.add("If-None-Match", out);
}

}  // namespace axl::bridge
