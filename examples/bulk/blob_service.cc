#include "bulk/blob_service.h"

#include <absl/strings/str_cat.h>

#include <utility>

#include "bulk/digest.h"
#include "bulk/stopwatch.h"

namespace bulk {
namespace {

// With names of at most 255 bytes, a reply stays far below the default limit of a message, 4 MiB.
constexpr size_t kBlobsInReply = 1000;

Work WorkSince(const Stopwatch& started) {
  Work work;
  work.set_wall_ns(absl::ToInt64Nanoseconds(started.wall()));
  work.set_cpu_ns(absl::ToInt64Nanoseconds(started.thread_cpu()));
  return work;
}

BlobInfo InfoOf(BlobStore::Entry entry) {
  BlobInfo info;
  const timespec modified = absl::ToTimespec(entry.modified);
  info.mutable_modified()->set_seconds(modified.tv_sec);
  info.mutable_modified()->set_nanos(static_cast<int32_t>(modified.tv_nsec));
  info.set_name(std::move(entry.name));
  info.set_size(entry.size);
  return info;
}

}  // namespace

absl::StatusOr<PutReply> BlobService::Put(pagewire::ServerContext&, const PutRequest& request,
                                          pagewire::Payload payload) {
  const Stopwatch started;
  PutReply reply;
  reply.set_digest(DigestOf(payload));
  if (!request.digest().empty() && request.digest() != reply.digest()) {
    return absl::DataLossError(absl::StrCat("what arrived has digest ", reply.digest(), " instead of ",
                                            request.digest(), "; nothing was stored"));
  }
  if (absl::Status status = store_.Put(request.name(), payload); !status.ok()) return status;
  *reply.mutable_work() = WorkSince(started);
  return reply;
}

absl::StatusOr<pagewire::WithPayload<GetReply>> BlobService::Get(pagewire::ServerContext&, const GetRequest& request) {
  const Stopwatch started;
  absl::StatusOr<pagewire::Payload> content = store_.Get(request.name());
  if (!content.ok()) return std::move(content).status();
  GetReply reply;
  reply.set_digest(DigestOf(*content));
  *reply.mutable_work() = WorkSince(started);
  return pagewire::WithPayload<GetReply>{std::move(reply), *std::move(content)};
}

absl::StatusOr<StatReply> BlobService::Stat(pagewire::ServerContext&, const StatRequest& request) {
  absl::StatusOr<BlobStore::Entry> entry = store_.Stat(request.name());
  if (!entry.ok()) return std::move(entry).status();
  StatReply reply;
  *reply.mutable_blob() = InfoOf(*std::move(entry));
  return reply;
}

absl::StatusOr<ListReply> BlobService::List(pagewire::ServerContext&, const ListRequest& request) {
  absl::StatusOr<BlobStore::Page> page = store_.List(request.after(), kBlobsInReply);
  if (!page.ok()) return std::move(page).status();
  ListReply reply;
  for (BlobStore::Entry& entry : page->entries) *reply.add_blobs() = InfoOf(std::move(entry));
  reply.set_more(page->more);
  return reply;
}

absl::StatusOr<RemoveReply> BlobService::Remove(pagewire::ServerContext&, const RemoveRequest& request) {
  const Stopwatch started;
  if (absl::Status status = store_.Remove(request.name()); !status.ok()) return status;
  RemoveReply reply;
  *reply.mutable_work() = WorkSince(started);
  return reply;
}

}  // namespace bulk
