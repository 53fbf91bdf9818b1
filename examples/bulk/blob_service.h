// The service of bulk.proto over a BlobStore.
#pragma once

#include "bulk.pagewire.h"
#include "bulk/blob_store.h"

namespace bulk {

// Errors are those of the store; besides, Put returns DATA_LOSS when the request names another digest than that of what
// arrived.
class BlobService final : public Blobs::Service {
 public:
  // `store` outlives the service.
  explicit BlobService(BlobStore& store) : store_(store) {}

  absl::StatusOr<PutReply> Put(pagewire::ServerContext& context, const PutRequest& request,
                               pagewire::Payload payload) override;
  absl::StatusOr<pagewire::WithPayload<GetReply>> Get(pagewire::ServerContext& context,
                                                      const GetRequest& request) override;
  absl::StatusOr<StatReply> Stat(pagewire::ServerContext& context, const StatRequest& request) override;
  absl::StatusOr<ListReply> List(pagewire::ServerContext& context, const ListRequest& request) override;
  absl::StatusOr<RemoveReply> Remove(pagewire::ServerContext& context, const RemoveRequest& request) override;

 private:
  BlobStore& store_;
};

}  // namespace bulk
