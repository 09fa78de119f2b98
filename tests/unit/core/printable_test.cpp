#include "core/printable.hpp"

#include <catch2/catch_test_macros.hpp>
#include <string>

using axl::clipped;
using axl::printable;

TEST_CASE("printable: what could steer a terminal or begin a line is written out", "[core]") {
  CHECK(printable("plain text, grün €, 😀") == "plain text, grün €, 😀");
  CHECK(printable("a\nb\r\x1b[0m\t\x7f" + std::string{'\0'}) == "a\\x0ab\\x0d\\x1b[0m\\x09\\x7f\\x00");
  CHECK(printable("\xc2\x9b\xff") == "\\xc2\\x9b\\xff");            // CSI in one character; no UTF-8
  CHECK(printable("\xe2\x80\xa8\xe2\x80\xae") == "\\xe2\\x80\\xa8\\xe2\\x80\\xae");  // separator, override
  CHECK(printable("\xe2\x80\x8f\xe2\x81\xa6\xd8\x9c") == "\\xe2\\x80\\x8f\\xe2\\x81\\xa6\\xd8\\x9c");
  CHECK(printable("‹ok› …") == "‹ok› …");  // neighbours of those
  CHECK(printable("\xe2\x82") == "\\xe2\\x82");
  CHECK(printable("\xc0\x8a\xed\xa0\x80\xf4\x90\x80\x80") == "\\xc0\\x8a\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80");
}

TEST_CASE("printable: what has been through once stays", "[core]") {
  const auto once = printable("\x1b]0;x\x07 \\x41 \xff");
  CHECK(printable(once) == once);
}

TEST_CASE("clipped: long text ends between characters, with dots", "[core]") {
  CHECK(clipped("short", 5) == "short");
  CHECK(clipped(std::string(50, 'x'), 10) == std::string(10, 'x') + "...");
  CHECK(clipped("ab€d", 4) == "ab...");
  CHECK(clipped("ab€d", 5) == "ab€...");
  CHECK(clipped("\x80\x80\x80\x80\x80\x80", 5) == "\x80\x80...");  // no UTF-8: cut anyhow
}
