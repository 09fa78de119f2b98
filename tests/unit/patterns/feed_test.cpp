#include "patterns/feed.hpp"

#include <catch2/catch_test_macros.hpp>

#include "published.hpp"

using axl::patterns::Feed;
using axl::test::published;

TEST_CASE("feed: numbers go on, and name the same messages whatever has gone", "[patterns]") {
  Feed feed;
  CHECK(feed.begin() == feed.end());
  feed.drop_first();  // of nothing
  CHECK(feed.begin() == 0);
  for (std::size_t i = 0; i < 3 * Feed::kMaxMessages; ++i) {
    CHECK(feed.end() == i);
    feed.add(published(i));
    CHECK(feed.end() - feed.begin() <= Feed::kMaxMessages);
  }
  CHECK(feed.begin() == 2 * Feed::kMaxMessages);
  CHECK(feed.at(feed.begin()).id == published(2 * Feed::kMaxMessages).id);
  CHECK(feed.at(feed.end() - 1).id == published(3 * Feed::kMaxMessages - 1).id);
}

TEST_CASE("feed: its bytes are bounded, but for the last message", "[patterns]") {
  Feed feed;
  constexpr std::size_t kSize = 1u << 20;
  for (std::size_t i = 0; i < 20; ++i) {
    feed.add(published(i, kSize));
    CHECK(feed.bytes() <= Feed::kMaxBytes);
  }
  CHECK(feed.end() == 20);
  CHECK(feed.end() - feed.begin() == Feed::kMaxBytes / kSize - 1);  // each costs a little more than its body
  feed.add(published(20, 2 * Feed::kMaxBytes));
  CHECK(feed.begin() == 20);
  CHECK(feed.end() == 21);
  feed.add(published(21, 1));
  CHECK(feed.begin() == 21);
  feed.drop_first();
  CHECK(feed.bytes() == 0);
}

TEST_CASE("feed: messages without a body count too", "[patterns]") {
  Feed feed;
  feed.add(published(0));
  CHECK(feed.bytes() >= sizeof(axl::PubSubMessage));
}

TEST_CASE("feed: who names the last message that it has had, goes on behind it while that is known", "[patterns]") {
  Feed feed;
  CHECK_FALSE(feed.after(published(0).id));
  CHECK_FALSE(feed.after(""));
  for (std::size_t i = 0; i < Feed::kMaxMessages + 10; ++i) feed.add(published(i));
  CHECK(feed.after(published(10).id) == feed.begin() + 1);
  CHECK(feed.after(published(Feed::kMaxMessages + 9).id) == feed.end());
  CHECK_FALSE(feed.after(published(9).id));  // gone
  CHECK_FALSE(feed.after(published(10).id + "0"));
  CHECK_FALSE(feed.after("0"));
}
