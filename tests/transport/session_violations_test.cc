// Peers that break a rule of the connection: it ends with a status that names the rule, the peer is told, and another
// connection of the process does not notice.
#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "transport/in_process_stream.h"
#include "transport/raw_peer.h"
#include "transport/session_end.h"

namespace pagewire::transport::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::SizeIs;
using wire::FrameType;

constexpr uint64_t kFloat = 64 << 10;  // the connection's credit at the beginning

// A session under test with its peer, both on one loop.
struct Connection {
  Connection(ManualLoop& loop, bool session_initiates, uint64_t held_budget_bytes = 64 << 20) {
    auto [session_stream, peer_stream] = MakeInProcessPair(loop, loop);
    session = std::make_unique<SessionEnd>(loop, std::move(session_stream),
                                           TestOptions(session_initiates, held_budget_bytes));
    peer = std::make_unique<RawPeer>(loop, std::move(peer_stream), !session_initiates);
    loop.RunUntilIdle();
  }
  std::unique_ptr<SessionEnd> session;
  std::unique_ptr<RawPeer> peer;
};

// What a peer does, after the prefaces were exchanged, and what it is told.
struct Violation {
  std::string name;
  std::function<void(RawPeer& peer)> act;
  absl::StatusCode code;
  std::string message;
};

void PrintTo(const Violation& violation, std::ostream* out) { *out << violation.name; }

class SessionViolations : public ::testing::TestWithParam<Violation> {
 protected:
  SessionViolations() : innocent_(loop_, false) { innocent_.peer->Greet(); }

  // The connection has ended with the status, the peer was told why, and the other connection works.
  void ExpectEnd(Connection& connection, absl::StatusCode code, const std::string& message) {
    loop_.RunUntilIdle();
    ASSERT_TRUE(connection.session->closed().has_value()) << "the connection goes on";
    EXPECT_EQ(*connection.session->closed(), absl::Status(code, message));
    EXPECT_TRUE(connection.peer->ended());
    const auto go_aways = connection.peer->Take<wire::v1::GoAway>();
    ASSERT_THAT(go_aways, SizeIs(1));
    EXPECT_EQ(go_aways[0].code(), static_cast<uint32_t>(code));
    EXPECT_EQ(go_aways[0].message(), message);
    EXPECT_EQ(connection.peer->misbehaviour(), "");

    innocent_.session->TakeEvents();
    ASSERT_TRUE(innocent_.peer->StartCall(1, "/s/M", "hello"));
    EXPECT_THAT(innocent_.session->TakeEvents(), ElementsAre("start 1 /s/M", "message 1 5 bytes, last"));
  }

  ManualLoop loop_;
  Connection innocent_;
};

std::string NameOf(const ::testing::TestParamInfo<Violation>& param) { return param.param.name; }

// Against the side that accepts calls.

class ServerViolations : public SessionViolations {};

TEST_P(ServerViolations, EndTheConnection) {
  Connection guilty(loop_, false);
  guilty.peer->Greet();
  GetParam().act(*guilty.peer);
  ExpectEnd(guilty, GetParam().code, GetParam().message);
}

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kExhausted = absl::StatusCode::kResourceExhausted;

const std::vector<Violation>& ViolationsByClients() {
  static const auto& violations = *new std::vector<Violation>{
      {"UnknownFatalFrame", [](RawPeer& peer) { peer.SendFrame(static_cast<FrameType>(0x7f), 0, wire::v1::Ping()); },
       kInvalid, "frame type 0x7f: unknown, and types below 0x80 must be known"},
      {"OversizedBody",
       [](RawPeer& peer) {
         wire::v1::Cancel cancel;
         cancel.set_call_id(1);
         cancel.set_message(std::string(64 << 10, 'x'));
         peer.SendFrame(FrameType::kCancel, 0, cancel);
       },
       kExhausted, "CANCEL: body_length 65542 exceeds max_body_length, which is 65536"},
      {"OversizedData", [](RawPeer& peer) { peer.StartCall(1, "/s/M", std::string((64 << 10) + 1, 'x')); }, kExhausted,
       "CALL_START: data_length 65537 exceeds max_data_length, which is 65536"},
      {"OversizedChunk", [](RawPeer& peer) { peer.Chunk(1, 0, std::string((1 << 20) + 4096, 'x')); }, kExhausted,
       "CHUNK: chunk_length 1052672 exceeds max_chunk_length, which is 1048576"},
      {"BodyThatDoesNotParse",
       [](RawPeer& peer) {
         // A prefix that announces three bytes of body, and three bytes that are no message.
         peer.Send(std::string("\x0a\0\0\0\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff\xff", 23));
       },
       kInvalid, "PING: the body of 3 bytes is not a valid message"},

      {"CallIdReused",
       [](RawPeer& peer) {
         peer.StartCall(5, "/s/M", "a");
         peer.StartCall(5, "/s/M", "b");
       },
       kInvalid, "CALL_START: call id 5 is not above the last one, 5"},
      {"CallIdFalls",
       [](RawPeer& peer) {
         peer.StartCall(5, "/s/M", "a");
         peer.StartCall(4, "/s/M", "b");
       },
       kInvalid, "CALL_START: call id 4 is not above the last one, 5"},
      {"StatusFromAClient", [](RawPeer& peer) { peer.Status(1, absl::StatusCode::kOk); }, kInvalid,
       "STATUS: only the side that accepted a call ends it so"},
      {"MessageForACallNeverOpened", [](RawPeer& peer) { peer.Message(3, "hello"); }, kInvalid,
       "MESSAGE: call 3 was never opened"},
      {"CancelOfACallNeverOpened", [](RawPeer& peer) { peer.Cancel(3); }, kInvalid, "CANCEL: call 3 was never opened"},
      {"PayloadOfACallNeverOpened", [](RawPeer& peer) { peer.BeginPayload(1, 3, 10); }, kInvalid,
       "PAYLOAD_BEGIN: call 3 was never opened"},
      {"GrantForACallNeverOpened", [](RawPeer& peer) { peer.Grant(1 << 20, 3, 1 << 20); }, kInvalid,
       "CREDIT: call 3 was never opened"},

      {"MessageAfterEndStream",
       [](RawPeer& peer) {
         peer.StartCall(1, "/s/M", "a");
         peer.Message(1, "b");
       },
       kInvalid, "call 1: a message after END_STREAM"},
      {"ContinuationOfNothing",
       [](RawPeer& peer) {
         peer.StartCall(1, "/s/M", "a", 0, kWhole);
         peer.MessageRest(1, "b");
       },
       kInvalid, "call 1: a message continues that has not begun"},
      {"MessageInsideAnother",
       [](RawPeer& peer) {
         peer.StartCall(1, "/s/M", "a", 0, kWhole);
         peer.MessageStart(1, 10, "abc", kWhole | wire::kFlagMore);
         peer.Message(1, "def");
       },
       kInvalid, "call 1: a message begins inside another"},
      {"MessageLongerThanAnnounced",
       [](RawPeer& peer) {
         peer.StartCall(1, "/s/M", "a", 0, kWhole);
         peer.MessageStart(1, 5, "abc", kWhole | wire::kFlagMore);
         peer.MessageRest(1, "def");
       },
       kInvalid, "message of call 1: 3 more bytes after 3 exceed its announced size of 5"},
      {"MessageShorterThanAnnounced",
       [](RawPeer& peer) {
         peer.StartCall(1, "/s/M", "a", 0, kWhole);
         peer.MessageStart(1, 5, "abc", kWhole | wire::kFlagMore);
         peer.MessageRest(1, "d");
       },
       kInvalid, "message of call 1 ended after 4 of 5 announced bytes"},
      {"EndOfStreamInsideAMessage",
       [](RawPeer& peer) {
         peer.StartCall(1, "/s/M", "a", 0, kWhole);
         peer.MessageStart(1, 5, "abc", kWhole | wire::kFlagMore);
         peer.EndStream(1);
       },
       kInvalid, "call 1: END_STREAM inside a message"},

      {"CoveredMessageBeyondTheConnectionsCredit",
       [](RawPeer& peer) {
         wire::v1::CallStart start;
         start.set_call_id(1);
         start.set_method("/s/M");
         start.set_message_size(kFloat + 1);
         peer.SendFrame(FrameType::kCallStart, kWhole | wire::kFlagMore, start, "x");
       },
       kInvalid,
       "call 1: an item of 65537 bytes was started as covered, but the credit granted does not cover it (65536 bytes "
       "free on the connection)"},
      {"CoveredPayloadBeyondTheConnectionsCredit",
       [](RawPeer& peer) {
         peer.StartCall(1, "/s/M", std::string(100, 'x'), 9, kWhole | wire::kFlagEndStream);
         // The message's 100 bytes come back when it is read, with its payload: too few to be worth a new reservation.
         peer.BeginPayload(9, 1, kFloat - 99);
       },
       kInvalid,
       "call 1: an item of 65437 bytes was started as covered, but the credit granted does not cover it (65436 bytes "
       "free on the connection)"},
      {"BytesOfAMessageBeforeCredit",
       [](RawPeer& peer) {
         // More than the credit budget has at once: the grant does not come.
         peer.AnnounceCall(1, "/s/M", 4 << 20);
         peer.AnnounceCall(2, "/s/M", memory::ConnectionCreditBudget().limit());
         peer.MessageRest(2, "x", wire::kFlagMore);
       },
       kInvalid,
       // The size depends on the machine's memory, so the test below fills it in.
       "message of call 2: 1 bytes came before credit for its * bytes was granted"},

      {"PayloadNotAnnounced",
       [](RawPeer& peer) {
         peer.StartCall(1, "/s/M", "a");
         peer.BeginPayload(1, 1, 10);
       },
       kInvalid, "PAYLOAD_BEGIN: payload 1 was not announced by a message of call 1"},
      {"AnotherPayloadThanAnnounced",
       [](RawPeer& peer) {
         peer.StartCall(1, "/s/M", "a", 4);
         peer.BeginPayload(5, 1, 10);
       },
       kInvalid, "PAYLOAD_BEGIN: payload 5 was not announced by a message of call 1"},
      {"PayloadIdReused",
       [](RawPeer& peer) {
         peer.StartCall(1, "/s/M", "a", 4);
         peer.WholePayload(4, 1, "hello");
         peer.StartCall(2, "/s/M", "a", 4);
       },
       kInvalid, "call 2: payload id 4 is not above the last one, 4"},
      {"PayloadBeginsTwice",
       [](RawPeer& peer) {
         peer.StartCall(1, "/s/M", "a", 4);
         peer.WholePayload(4, 1, "hello");
         peer.BeginPayload(4, 1, 5);
       },
       kInvalid, "PAYLOAD_BEGIN: payload 4 was not announced by a message of call 1"},
      {"SecondPayloadAnnouncedBeforeTheFirstCame",
       [](RawPeer& peer) {
         peer.StartCall(1, "/s/M", "a", 4, kWhole);
         peer.Message(1, "b", 5);
       },
       kInvalid, "call 1: a message begins before payload 4 ended"},
      {"MessageWhileAPayloadIsOpen",
       [](RawPeer& peer) {
         peer.StartCall(1, "/s/M", "a", 4, kWhole);
         peer.BeginPayload(4, 1, 8192);
         peer.Message(1, "b");
       },
       kInvalid, "call 1: a message begins before payload 4 ended"},
      {"PayloadInsideAMessage",
       [](RawPeer& peer) {
         peer.StartCall(1, "/s/M", "a", 0, kWhole);
         peer.MessageStart(1, 5, "abc", kWhole | wire::kFlagMore, 4);
         peer.BeginPayload(4, 1, 8192);
       },
       kInvalid, "PAYLOAD_BEGIN: payload 4 begins inside a message of call 1"},
      {"PayloadOfUnknownSize",
       [](RawPeer& peer) {
         peer.StartCall(1, "/s/M", "a", 4);
         wire::v1::PayloadBegin begin;
         begin.set_payload_id(4);
         begin.set_call_id(1);
         peer.SendFrame(FrameType::kPayloadBegin, 0, begin);
       },
       kInvalid, "PAYLOAD_BEGIN: payload 4 is piecewise or of unknown size, which was not negotiated"},
      {"PiecewisePayload",
       [](RawPeer& peer) {
         peer.StartCall(1, "/s/M", "a", 4);
         wire::v1::PayloadBegin begin;
         begin.set_payload_id(4);
         begin.set_call_id(1);
         begin.set_size(10);
         begin.set_piecewise(true);
         peer.SendFrame(FrameType::kPayloadBegin, wire::kFlagCovered, begin);
       },
       kInvalid, "PAYLOAD_BEGIN: payload 4 is piecewise or of unknown size, which was not negotiated"},

      {"ChunkOfAPayloadNeverOpened", [](RawPeer& peer) { peer.Chunk(7, 0, std::string(4096, 'x')); }, kInvalid,
       "CHUNK: payload 7 was never opened"},
      {"ChunkAfterTheEnd",
       [](RawPeer& peer) {
         peer.StartCall(1, "/s/M", "a", 4);
         peer.WholePayload(4, 1, std::string(4096, 'x'));
         peer.Chunk(4, 4096, std::string(4096, 'x'));
       },
       kInvalid, "CHUNK: payload 4 has ended"},
      {"ChunkBeyondItsPayload",
       [](RawPeer& peer) {
         peer.StartCall(1, "/s/M", "a", 4);
         peer.BeginPayload(4, 1, 8191);
         peer.Chunk(4, 0, std::string(8192, 'x'));
       },
       kInvalid, "payload 4: 8192 more bytes after 0 exceed its announced size of 8191"},
      {"ChunkAtAGap",
       [](RawPeer& peer) {
         peer.StartCall(1, "/s/M", "a", 4);
         peer.BeginPayload(4, 1, 16384);
         peer.Chunk(4, 4096, std::string(4096, 'x'));
       },
       kInvalid, "CHUNK: payload 4 continues at offset 4096 after 0 bytes"},
      {"ChunkSentTwice",
       [](RawPeer& peer) {
         peer.StartCall(1, "/s/M", "a", 4);
         peer.BeginPayload(4, 1, 16384);
         peer.Chunk(4, 0, std::string(4096, 'x'));
         peer.Chunk(4, 0, std::string(4096, 'x'));
       },
       kInvalid, "CHUNK: payload 4 continues at offset 0 after 4096 bytes"},
      {"EndOfAPayloadNeverOpened", [](RawPeer& peer) { peer.EndPayload(7, 0); }, kInvalid,
       "PAYLOAD_END: payload 7 was never opened"},
      {"EndOfAPayloadThatHasEnded",
       [](RawPeer& peer) {
         peer.StartCall(1, "/s/M", "a", 4);
         peer.WholePayload(4, 1, "hello");
         peer.EndPayload(4, 5, "hello");
       },
       kInvalid, "PAYLOAD_END: payload 4 has ended"},
      {"CompleteBeforeEverythingCame",
       [](RawPeer& peer) {
         peer.StartCall(1, "/s/M", "a", 4);
         peer.BeginPayload(4, 1, 16384);
         peer.Chunk(4, 0, std::string(4096, 'x'));
         peer.EndPayload(4, 4096);
       },
       kInvalid, "PAYLOAD_END: payload 4 of 16384 bytes ends with size 4096 after 4096 bytes"},
      {"CompleteWithAnotherSizeThanCame",
       [](RawPeer& peer) {
         peer.StartCall(1, "/s/M", "a", 4);
         peer.BeginPayload(4, 1, 16384);
         peer.Chunk(4, 0, std::string(4096, 'x'));
         peer.EndPayload(4, 16384);
       },
       kInvalid, "PAYLOAD_END: payload 4 of 16384 bytes ends with size 16384 after 4096 bytes"},
      {"AbortWithAnotherSizeThanCame",
       [](RawPeer& peer) {
         peer.StartCall(1, "/s/M", "a", 4);
         peer.BeginPayload(4, 1, 16384);
         peer.AbortPayload(4, 4096);
       },
       kInvalid, "PAYLOAD_END: payload 4 of 16384 bytes ends with size 4096 after 0 bytes"},
      {"TailBeyondItsPayload",
       [](RawPeer& peer) {
         peer.StartCall(1, "/s/M", "a", 4);
         peer.BeginPayload(4, 1, 5);
         peer.EndPayload(4, 6, "sixsix");
       },
       kInvalid, "payload 4: 6 more bytes after 0 exceed its announced size of 5"},

      {"AckOfBytesNeverSent", [](RawPeer& peer) { peer.Ack(1); }, kInvalid,
       "ACK: claims 1 bytes received, more than were ever sent (0 are in flight)"},
      {"ReleaseOfAPayloadNeverSent",
       [](RawPeer& peer) {
         wire::v1::Ack ack;
         wire::v1::IdRange& range = *ack.add_released();
         range.set_first(1);
         range.set_last(2);
         peer.SendFrame(FrameType::kAck, 0, ack);
       },
       kInvalid, "ACK: claims the release of payload 2, which was never sent"},
      {"ReceiptForAPayloadNeverSent",
       [](RawPeer& peer) {
         wire::v1::Ack ack;
         wire::v1::Receipt& receipt = *ack.add_receipts();
         receipt.set_payload_id(1);
         receipt.set_receive_path(wire::v1::RECEIVE_PATH_COPY);
         peer.SendFrame(FrameType::kAck, 0, ack);
       },
       kInvalid, "ACK: a receipt for payload 1, which was never sent"},

      {"SettingOutOfRange", [](RawPeer& peer) { peer.ChangeSetting(wire::SettingId::kWindow, 1); }, kInvalid,
       "settings: window 1 is not within 65536 to 1073741824"},
      {"FixedSettingChanged", [](RawPeer& peer) { peer.ChangeSetting(wire::SettingId::kInitialCallCredit, 1 << 20); },
       kInvalid, "settings: initial_call_credit is set by the preface and cannot change"},
      {"UnknownSetting", [](RawPeer& peer) { peer.ChangeSetting(static_cast<wire::SettingId>(0x7fff), 1); }, kInvalid,
       "settings: id 32767 is unknown, and ids below 32768 must be known"},
  };
  return violations;
}

std::vector<Violation> WithExactMessages() {
  std::vector<Violation> violations = ViolationsByClients();
  for (Violation& violation : violations) {
    const size_t star = violation.message.find('*');
    if (star == std::string::npos) continue;
    violation.message.replace(star, 1, absl::StrCat(memory::ConnectionCreditBudget().limit()));
  }
  return violations;
}

INSTANTIATE_TEST_SUITE_P(All, ServerViolations, ::testing::ValuesIn(WithExactMessages()), NameOf);

// Against the side that starts calls. One call with a request of 5 bytes is out.

class ClientViolations : public SessionViolations {};

TEST_P(ClientViolations, EndTheConnection) {
  Connection guilty(loop_, true);
  guilty.peer->Greet();
  ASSERT_EQ(guilty.session->StartCall("/s/M", "hello"), 1u);
  loop_.RunUntilIdle();
  ASSERT_THAT(guilty.peer->Take<wire::v1::CallStart>(), SizeIs(1));
  GetParam().act(*guilty.peer);
  ExpectEnd(guilty, GetParam().code, GetParam().message);
}

const std::vector<Violation>& ViolationsByServers() {
  static const auto& violations = *new std::vector<Violation>{
      {"CallStart", [](RawPeer& peer) { peer.StartCall(2, "/s/M", "x"); }, kInvalid,
       "CALL_START: only the side that connected starts calls"},
      {"Cancel", [](RawPeer& peer) { peer.Cancel(1); }, kInvalid,
       "CANCEL: only the side that started a call cancels it"},
      {"StatusOfACallNeverOpened", [](RawPeer& peer) { peer.Status(2, absl::StatusCode::kOk); }, kInvalid,
       "STATUS: call 2 was never opened"},
      {"TwoStatuses",
       [](RawPeer& peer) {
         peer.Status(1, absl::StatusCode::kOk);
         peer.Status(1, absl::StatusCode::kOk);
       },
       kInvalid, "STATUS: call 1 has a status already"},
      {"TwoStatusesAtOnce",
       [](RawPeer& peer) {
         wire::v1::CallStatus status;
         status.set_call_id(1);
         std::string both;
         wire::AppendFrame(FrameType::kStatus, 0, status, {}, both);
         wire::AppendFrame(FrameType::kStatus, 0, status, {}, both);
         peer.Send(both);
       },
       kInvalid, "STATUS: call 1 has a status already"},
      {"MessageOfACallNeverOpened", [](RawPeer& peer) { peer.Message(2, "x"); }, kInvalid,
       "MESSAGE: call 2 was never opened"},
      {"GrantForACallNeverOpened", [](RawPeer& peer) { peer.Grant(1 << 20, 2, 1 << 20); }, kInvalid,
       "CREDIT: call 2 was never opened"},
      {"AckOfBytesNeverSent", [](RawPeer& peer) { peer.Ack(5); }, kInvalid,
       "ACK: claims 5 bytes received, more than were ever sent (0 are in flight)"},
      {"PayloadNotAnnounced", [](RawPeer& peer) { peer.BeginPayload(1, 1, 10); }, kInvalid,
       "PAYLOAD_BEGIN: payload 1 was not announced by a message of call 1"},
      {"ResponseBeyondCredit", [](RawPeer& peer) { peer.MessageStart(1, kFloat + 1, "x", kWhole | wire::kFlagMore); },
       kInvalid,
       "call 1: an item of 65537 bytes was started as covered, but the credit granted does not cover it (65536 bytes "
       "free on the connection)"},
  };
  return violations;
}

INSTANTIATE_TEST_SUITE_P(All, ClientViolations, ::testing::ValuesIn(ViolationsByServers()), NameOf);

// Before a common preface there is nothing to build on.

class PrefaceViolations : public SessionViolations {};

TEST_P(PrefaceViolations, EndTheConnection) {
  Connection guilty(loop_, false);
  GetParam().act(*guilty.peer);
  ExpectEnd(guilty, GetParam().code, GetParam().message);
  EXPECT_THAT(guilty.session->TakeEvents(), SizeIs(1)) << "only the end";
}

const std::vector<Violation>& ForeignPeers() {
  static const auto& violations = *new std::vector<Violation>{
      {"OtherMagic", [](RawPeer& peer) { peer.Send("\x01\x02\x03\x04\x05\x06\x07\x08"); }, kInvalid,
       "preface: the peer sent bytes that are not Pagewire's (0102030405060708)"},
      {"Http1", [](RawPeer& peer) { peer.Send("GET /index.html HTTP/1.1\r\nHost: x\r\n\r\n"); }, kInvalid,
       "preface: the peer speaks HTTP/1 (\"GET /ind\")"},
      {"Http2", [](RawPeer& peer) { peer.Send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"); }, kInvalid,
       "preface: the peer speaks HTTP/2 (its client preface)"},
      {"Tls", [](RawPeer& peer) { peer.Send(std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11)); },
       kInvalid, "preface: the peer speaks TLS (a handshake record); this side expects Pagewire without TLS"},
      {"NoCommonVersion",
       [](RawPeer& peer) {
         wire::Preface preface = wire::MakePreface(std::string(16, 's'), 0, 0, wire::Settings(), "");
         preface.min_version = 2;
         preface.max_version = 9;
         peer.Greet(preface);
       },
       absl::StatusCode::kFailedPrecondition,
       "preface: no common protocol version: this side speaks 1 to 1, the peer 2 to 9"},
      {"NoSessionId", [](RawPeer& peer) { peer.Greet(wire::MakePreface("", 0, 0, wire::Settings(), "")); }, kInvalid,
       "preface: session_id has 0 bytes instead of 16"},
      {"SettingsOutOfRange",
       [](RawPeer& peer) {
         wire::Settings settings;
         settings.window = 4096;
         peer.Greet(settings);
       },
       kInvalid, "settings: window 4096 is not within 65536 to 1073741824"},
  };
  return violations;
}

INSTANTIATE_TEST_SUITE_P(All, PrefaceViolations, ::testing::ValuesIn(ForeignPeers()), NameOf);

TEST_F(SessionViolations, AFrameOfAnUnknownSkippableTypeIsIgnored) {
  Connection connection(loop_, false);
  connection.peer->Greet();
  connection.session->TakeEvents();
  wire::v1::Cancel body;
  body.set_message(std::string(1000, 'x'));
  ASSERT_TRUE(connection.peer->SendFrame(static_cast<FrameType>(0x80), 0xff, body, std::string(5000, 'd')));
  ASSERT_TRUE(connection.peer->SendFrame(static_cast<FrameType>(0xff), 0, body));
  ASSERT_TRUE(connection.peer->StartCall(1, "/s/M", "hello"));
  EXPECT_THAT(connection.session->TakeEvents(), ElementsAre("start 1 /s/M", "message 1 5 bytes, last"));
}

TEST_F(SessionViolations, NoPrefaceInTimeEndsTheConnection) {
  Connection silent(loop_, false);
  loop_.AdvanceTime(absl::Seconds(20) - absl::Nanoseconds(1));
  EXPECT_FALSE(silent.session->closed().has_value());
  loop_.AdvanceTime(absl::Nanoseconds(1));
  ExpectEnd(silent, absl::StatusCode::kUnavailable, "the peer sent no preface within 20s");
}

TEST_F(SessionViolations, PayloadBytesBeforeCreditEndTheConnection) {
  Connection guilty(loop_, false, 1 << 20);
  guilty.peer->Greet();
  guilty.peer->StartCall(1, "/s/M", "a", 1);
  guilty.peer->BeginPayload(1, 1, 1 << 20, false);
  guilty.peer->StartCall(2, "/s/M", "a", 2);
  guilty.peer->BeginPayload(2, 2, 1 << 20, false);  // has to wait for the first to go
  EXPECT_THAT(guilty.peer->Take<wire::v1::Credit>(), Contains(::testing::Property(&wire::v1::Credit::call_id, 1)));
  guilty.peer->Chunk(2, 0, std::string(4096, 'x'));
  ExpectEnd(guilty, kInvalid, "payload 2: 4096 bytes came before credit for its 1048576 bytes was granted");
}

TEST_F(SessionViolations, CallsOpenBeyondEveryLimitEndTheConnection) {
  auto [session_stream, peer_stream] = MakeInProcessPair(loop_, loop_);
  SessionOptions options = TestOptions(false);
  options.max_concurrent_calls = 10;
  Connection guilty(loop_, false);
  guilty.session = std::make_unique<SessionEnd>(loop_, std::move(session_stream), std::move(options));
  guilty.peer = std::make_unique<RawPeer>(loop_, std::move(peer_stream), true);
  guilty.peer->Greet();
  for (uint64_t id = 1; id <= 10 + 1024 + 1; ++id) guilty.peer->StartCall(id, "/s/M", "");
  ExpectEnd(guilty, kExhausted, "CALL_START: 1034 calls have not ended, the limit is 10");
}

}  // namespace
}  // namespace pagewire::transport::testing
