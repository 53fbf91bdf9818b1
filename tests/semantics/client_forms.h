// The same jobs done by clients in each of the three forms.
#pragma once

#include <pagewire/pagewire.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "semantics.pagewire.h"

namespace pagewire::semantics {

class Jobs {
 public:
  virtual ~Jobs() = default;

  virtual absl::StatusOr<WithPayload<Item>> Echo(ClientContext& context, const Item& item, Payload payload) = 0;

  // The numbers that came, and the status.
  virtual std::pair<std::vector<uint64_t>, absl::Status> Produce(ClientContext& context, const Order& order) = 0;

  // Writes 1 to `count`.
  virtual absl::StatusOr<Summary> Collect(ClientContext& context, uint64_t count) = 0;

  // Writes and reads in turn; the sizes of the payloads that came.
  virtual std::pair<std::vector<uint64_t>, absl::Status> ChatPayloads(ClientContext& context,
                                                                      const std::vector<Payload>& payloads) = 0;

  // Status of the call, which is cancelled once its initial metadata have come.
  virtual absl::Status CancelHanging(ClientContext& context) = 0;
};

enum class Form { kBlocking, kCallback, kCoroutine };
std::string NameOfForm(Form form);
std::unique_ptr<Jobs> MakeJobs(Form form, std::shared_ptr<Channel> channel);

}  // namespace pagewire::semantics
