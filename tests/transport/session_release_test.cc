// What sessions say, and believe, of payloads that are released.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "transport/connected.h"
#include "transport/lent_memory.h"

namespace pagewire::transport::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;
using wire::FrameType;

class SessionReleaseTest : public ::testing::Test {
 protected:
  ManualLoop loop_;
};

// Nobody else would tell the sender, whose memory it may be.
TEST_F(SessionReleaseTest, APayloadThatNobodyGetsIsToldToBeReleased) {
  SessionOptions options = TestOptions(false);
  options.limits.max_payload_bytes = 1 << 20;
  SessionAndPeer connection(loop_, std::move(options));
  connection.peer->Greet();
  const auto released = [&] {
    loop_.AdvanceTime(absl::Milliseconds(10));
    std::vector<std::pair<uint64_t, uint64_t>> ranges;
    for (const wire::v1::Ack& ack : connection.peer->Take<wire::v1::Ack>()) {
      for (const wire::v1::IdRange& range : ack.released()) ranges.emplace_back(range.first(), range.last());
    }
    return ranges;
  };
  const auto begin = [&](uint64_t id, uint64_t size = 50'000, bool covered = true) {
    connection.peer->StartCall(id, "/s/M", "hello", id);
    connection.peer->BeginPayload(id, id, size, covered);
    if (covered) connection.peer->Chunk(id, 0, Pattern(4096));
  };
  begin(1);
  connection.peer->Cancel(1);
  EXPECT_THAT(released(), IsEmpty()) << "its end is still to come";
  connection.peer->AbortPayload(1, 4096);
  EXPECT_THAT(released(), ElementsAre(Pair(1, 1)));

  begin(2);
  connection.peer->AbortPayload(2, 4096);
  connection.peer->Cancel(2);
  EXPECT_THAT(released(), ElementsAre(Pair(2, 2)));

  begin(3);
  connection.session->SendStatus(3, absl::StatusCode::kNotFound);
  connection.session->session().DiscardIncoming(3);
  connection.peer->Chunk(3, 4096, Pattern(45'056));
  connection.peer->EndPayload(3, 50'000, Pattern(848));
  EXPECT_THAT(released(), ElementsAre(Pair(3, 3))) << "whole, and too late";

  connection.session->TakeEvents();
  begin(4, (1 << 20) + 1, false);
  EXPECT_THAT(connection.session->TakeEvents(), Contains(HasSubstr("refused 4 RESOURCE_EXHAUSTED")));
  connection.peer->AbortPayload(4, 0);
  connection.peer->StartCall(5, "/s/M", "hello", 5);
  connection.peer->Cancel(5);  // before its payload began
  begin(6);
  connection.peer->AbortPayload(6, 4096);
  EXPECT_THAT(released(), ElementsAre(Pair(4, 4), Pair(6, 6)));

  connection.peer->StartCall(7, "/s/M", "hello", 7);
  connection.peer->WholePayload(7, 7, Pattern(10'000));
  EXPECT_THAT(released(), IsEmpty());
  connection.session->payloads.clear();
  EXPECT_THAT(released(), ElementsAre(Pair(7, 7)));
  EXPECT_THAT(released(), IsEmpty());
}

TEST_F(SessionReleaseTest, AReleaseWithoutAReceiptIsNoneByTheApplication) {
  SessionAndPeer connection(loop_, TestOptions(true));
  connection.peer->Greet();
  std::vector<std::string> said;
  for (const char* name : {"refused", "stored"}) {
    const uint64_t call = connection.session->session().OpenCall();
    wire::v1::CallStart start;
    start.set_call_id(call);
    start.set_method("/s/M");
    connection.session->session().SendMessage(call, {.head = start, .bytes = {}, .last = true, .with_payload = true});
    OutgoingPayload payload{InMemory(Pattern(5000))};
    payload.events.released =
        PeerEvent([&said, name](bool happened) { said.push_back(name + std::string(happened ? "+" : "-")); });
    connection.session->session().SendPayload(call, std::move(payload));
    connection.session->session().EndCall(call);
  }
  loop_.RunUntilIdle();
  ASSERT_EQ(connection.peer->payload_bytes(), 10'000u);
  wire::v1::Ack ack;
  ack.set_received_bytes(10'000);
  ack.add_receipts()->set_payload_id(2);
  ack.mutable_receipts(0)->set_receive_path(wire::v1::RECEIVE_PATH_COPY);
  wire::v1::IdRange& range = *ack.add_released();
  range.set_first(1);
  range.set_last(2);
  connection.peer->SendFrame(FrameType::kAck, 0, ack);
  EXPECT_THAT(said, UnorderedElementsAre("refused-", "stored+"));
}

}  // namespace
}  // namespace pagewire::transport::testing
