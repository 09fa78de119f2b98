#include "core/buffer.hpp"

#include <catch2/catch_test_macros.hpp>
#include <memory>
#include <utility>

using namespace axl;

TEST_CASE("buffer: few bytes that are going to wait leave a large allocation", "[core]") {
  Buffer buffer{64'000};
  buffer.drop_front(63'990);
  buffer.shed();
  CHECK(buffer.size() == 10);
  CHECK(buffer.capacity() == 10);

  Buffer used{64'000};
  const auto* const place = used.data();
  used.drop_back(32'000);
  used.shed();
  CHECK(used.data() == place);  // half of it is used: not worth a copy
  CHECK(used.tailroom() == 32'000);

  Buffer none;
  none.shed();
  CHECK(none.empty());
}

TEST_CASE("buffer: a view shows bytes that others share, and is a copy once it is changed", "[core]") {
  const auto shared = std::make_shared<const Bytes>(to_bytes(as_bytes("shared bytes")));
  auto view = Buffer::view_of(shared, *shared);
  CHECK(std::as_const(view).data() == shared->data());
  CHECK(view.headroom() == 0);
  CHECK(view.tailroom() == 0);

  auto moved = std::move(view);
  moved.drop_front(7);
  CHECK(as_text(moved) == "bytes");
  CHECK(std::as_const(moved).data() == shared->data() + 7);
  moved.shed();  // owns nothing that could be shed
  CHECK(std::as_const(moved).data() == shared->data() + 7);

  SECTION("by a byte") {
    moved.mutable_span().front() = std::byte{'B'};
    CHECK(as_text(moved) == "Bytes");
  }
  SECTION("in front") {
    moved.prepend(as_bytes("my "));
    CHECK(as_text(moved) == "my bytes");
  }
  SECTION("behind") {
    moved.append(as_bytes("!"));
    CHECK(as_text(moved) == "bytes!");
  }
  CHECK(as_text(*shared) == "shared bytes");
  CHECK(shared.use_count() == 1);
  CHECK(as_text(Buffer::view_of(nullptr, *shared)) == "shared bytes");
}
