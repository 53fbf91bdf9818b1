// The bytes of one trip to the kernel: frames from our own buffer, and payload ranges where they lie.
#pragma once

#include <pagewire/payload.h>
#include <pagewire/transfer_report.h>
#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "payload/file_memory.h"
#include "transport/ack_ledger.h"
#include "transport/byte_stream.h"
#include "transport/path_choice.h"
#include "transport/payload_cursor.h"

namespace pagewire::transport {

// How a chunk is to be sent, and whose it is. Pages that are to arrive whole, because they are not copied here or
// there, are a record of their own.
struct ChunkSend {
  SendChoice choice;
  uint64_t payload_id = 0;
  uint64_t end = 0;                                  // see AckLedger::Chunk
  std::shared_ptr<TransferReport> report = nullptr;  // the payload's; kernel copies are counted in it
  std::shared_ptr<absl::Status> source = nullptr;    // with kFile: see AckLedger::Chunk
  uint64_t call_id = 0;                              // see AckLedger::Chunk
};

// Filled, then written until it is empty (which may take several writes), then filled again. Its memory is reused. Each
// chunk is held in the ledger from the moment it is appended.
class WriteBatch {
 public:
  // `ledger` outlives the batch.
  explicit WriteBatch(AckLedger& ledger) : ledger_(ledger) {}

  // Frames are appended here, at the end of the batch. Valid until the next call of another function.
  std::string& head() { return head_; }

  // Appends the next `length` bytes of a payload, by reference. 0 < `length` <= cursor.remaining(). A chunk whose pages
  // are to arrive whole begins a record, and ends one.
  void AppendChunk(PayloadCursor& cursor, uint64_t length, ChunkSend send);

  bool empty() const { return head_.empty() && segments_.empty(); }
  size_t bytes() const { return sealed_bytes_ + head_.size() - sealed_head_; }

  // Writes as much as the stream takes. kOk: the batch is empty now. kBlocked and kFailed as from ByteStream::Write.
  IoResult WriteTo(ByteStream& stream);

  // Forgets everything, for a connection that has died. What the ledger holds it still holds.
  void Clear();

 private:
  struct Segment {
    const char* data;  // null: in head_, at `offset`
    size_t offset;
    size_t size;
    AckLedger::HoldId hold = 0;  // 0: frames
    SendPath path = SendPath::kCopy;
    const memory::FileMemory* file = nullptr;  // with kFile: `data` is in it
    bool measured = false;                     // what it costs goes into the payload's report
    bool ends_record = false;
    bool ends_chunk = false;
  };
  void SealHead();
  TransferReport* GatherRun(bool& ends_record);
  IoResult WriteRun(ByteStream& stream);
  void Advance(size_t written);
  void CopyChunk(CopyReason reason);
  void PadChunk();

  AckLedger& ledger_;
  std::string head_;
  size_t sealed_head_ = 0;   // bytes of head_ that segments_ covers
  size_t sealed_bytes_ = 0;  // bytes that segments_ covers and that are not written yet
  std::vector<Segment> segments_;
  size_t first_ = 0;  // segments before it are written
  std::vector<iovec> iovecs_;
};

}  // namespace pagewire::transport
