// Where the messages of an arena service's calls live: on arenas that are used again.
#pragma once

#include <google/protobuf/arena.h>
#include <google/protobuf/message_lite.h>

#include <cstdint>
#include <memory>
#include <utility>

namespace pagewire::internal {

// Of one method. Thread-safe; sets may outlive it.
class MessageReserve {
 public:
  // The messages of one call.
  struct Set {
    google::protobuf::Arena arena;
    google::protobuf::MessageLite* request = nullptr;  // on the arena
    google::protobuf::MessageLite* reply = nullptr;
  };

  // What the messages are like; default instances, which live for ever.
  MessageReserve(const google::protobuf::MessageLite& request, const google::protobuf::MessageLite& reply);
  ~MessageReserve();

  // Empty messages, which may have the memory of earlier ones.
  std::unique_ptr<Set> Take();

  // Keeps the set for another call if it is not too large; `bytes`: what its messages had serialized. Empties it first,
  // so that nothing of a call stays alive.
  void GiveBack(std::unique_ptr<Set> set, uint64_t bytes);

 private:
  struct Sets;
  const google::protobuf::MessageLite& request_;
  const google::protobuf::MessageLite& reply_;
  const std::unique_ptr<Sets> sets_;
};

// A set of a reserve, given back at the end.
template <typename Request, typename Reply>
class ReservedMessages {
 public:
  explicit ReservedMessages(MessageReserve& reserve) : reserve_(reserve), set_(reserve.Take()) {}
  ReservedMessages(const ReservedMessages&) = delete;
  ReservedMessages& operator=(const ReservedMessages&) = delete;
  ~ReservedMessages() { reserve_.GiveBack(std::move(set_), bytes_); }

  Request& request() { return static_cast<Request&>(*set_->request); }
  Reply& reply() { return static_cast<Reply&>(*set_->reply); }
  void CountBytes(uint64_t bytes) { bytes_ += bytes; }

 private:
  MessageReserve& reserve_;
  std::unique_ptr<MessageReserve::Set> set_;
  uint64_t bytes_ = 0;
};

}  // namespace pagewire::internal
