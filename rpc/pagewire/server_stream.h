// The server's end of calls with streams of messages, in the blocking form. Valid until the handler returns.
#pragma once

#include <pagewire/message_stream.h>

namespace pagewire {

class ServerStream {
 public:
  virtual ~ServerStream() = default;

  // Sends what ServerContext::AddInitialMetadata was given, at once instead of with the first message. Later calls and
  // calls after the first message do nothing.
  virtual void SendInitialMetadata() = 0;
};

// A call whose request is a stream. After the call was cancelled, Read gives CANCELLED or DEADLINE_EXCEEDED.
template <typename Request>
class ServerReader : public MessageReader<Request>, public ServerStream {};

// A call whose response is a stream. The handler's status follows what was written, after it returned.
template <typename Response>
class ServerWriter : public MessageWriter<Response>, public ServerStream {};

// A call with a stream in each direction.
template <typename Response, typename Request>
class ServerReaderWriter : public MessageReader<Request>, public MessageWriter<Response>, public ServerStream {};

}  // namespace pagewire
