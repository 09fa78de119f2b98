#include "core/buffer.hpp"

#include <catch2/catch_test_macros.hpp>

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
