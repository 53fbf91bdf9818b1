// A server's connection as it stands in the directory: while it is open, and after that for as long as its handlers
// run.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "call/directory.h"

namespace pagewire::call {

// Kept by the connection and by each of its handlers until that has returned; listed while it is kept. Lives on the
// connection's loop; every function is called there, and only its end may come on another thread.
class ListedConnection final : public Inspected {
 public:
  // `open` is asked until Close. `loop` outlives all handlers.
  static std::shared_ptr<ListedConnection> Make(transport::Loop& loop, const Inspected& open);

  // The connection ends, for `reason`. What it says of itself now stays until its last handler has returned.
  void Close(const absl::Status& reason);

  void OnHandlerDone(uint64_t call_id) { running_.erase(call_id); }

  // Inspected
  bool Describe(ConnectionView& view) const override;
  void DescribeCalls(uint64_t after, absl::Time until, size_t limit, std::vector<CallView>& calls) const override;
  void DescribeTransfers(const transport::TransferPlace& after, absl::Time until, size_t limit,
                         std::vector<TransferOfCall>& transfers) const override;

 private:
  explicit ListedConnection(const Inspected& open) : open_(&open) {}

  const Inspected* open_;                 // null: closed
  std::map<uint64_t, CallView> running_;  // once closed, by the ids of the calls
  std::unique_ptr<ConnectionView> last_;  // null: there were none then
  std::optional<Listing> listing_;
};

}  // namespace pagewire::call
