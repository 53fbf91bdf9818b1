#include <pagewire/admin_service.h>
#include <pagewire/executor.h>
#include <pagewire/server_context.h>

#include <absl/functional/any_invocable.h>
#include <absl/time/clock.h>

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>
#include <vector>

#include "admin_service/page.h"
#include "admin_service/show_call.h"
#include "admin_service/show_connection.h"
#include "admin_service/show_memory.h"
#include "base/coarse_clock.h"
#include "call/survey.h"
#include "pagewire/admin/v1/admin.pagewire.h"

namespace pagewire {
namespace {

using admin_service::LimitOf;
using admin_service::Moment;
using admin_service::PageFiller;
using admin_service::Show;
using call::Ask;
using call::Inspected;

// How long loops have to answer. A loop that does not come to it in a second is stuck.
constexpr absl::Duration kPatience = absl::Seconds(1);

// Entries of the directory that are taken from it at a time: its lock is held for some 10 µs.
constexpr size_t kListedAtATime = 1024;

// Answers are made by so many threads. More would only make loops' work out of operators' impatience.
constexpr size_t kThreads = 2;

absl::Time WaitUntil(const ServerContext& context) { return std::min(absl::Now() + kPatience, context.deadline()); }

// Asks what is listed from `first` on, in order, until there are more than `limit` views, which `fill` gets sorted by
// their places.
template <typename View>
call::Findings<View> Collect(uint64_t first, uint64_t last, uint32_t limit, absl::Time until, const Ask<View>& ask) {
  call::Findings<View> all;
  for (uint64_t after = first == 0 ? 0 : first - 1; all.views.size() <= limit;) {
    auto listed = call::Directory::Process().List(after, last == first ? 1 : kListedAtATime);
    while (!listed.empty() && listed.back()->id > last) listed.pop_back();
    if (listed.empty()) break;
    after = listed.back()->id;
    call::Findings<View> found = call::Survey<View>(
        listed, ask, {limit + 1 - all.views.size(), std::max(until - absl::Now(), absl::ZeroDuration())});
    std::move(found.views.begin(), found.views.end(), std::back_inserter(all.views));
    all.unanswered.insert(all.unanswered.end(), found.unanswered.begin(), found.unanswered.end());
    if (last == after) break;
  }
  return all;
}

template <typename Response>
void ShowUnanswered(const std::vector<uint64_t>& ids, Response& response) {
  for (const uint64_t id : ids) {
    if (response.unanswered_size() >= admin_service::kMaxUnanswered) return;
    response.add_unanswered(id);
  }
}

constexpr uint64_t kAll = ~uint64_t{0};

}  // namespace

class AdminService::Impl final : public admin::v1::Admin::CallbackService {
 private:
  template <typename Response>
  using Done = absl::AnyInvocable<void(absl::StatusOr<Response>)>;

  // Runs `make` on a thread of ours. The context stays until `done` is called.
  template <typename Response, typename Make>
  void Answer(Done<Response> done, Make make) {
    threads_->Run([done = std::move(done), make = std::move(make)]() mutable {
      Response response;
      make(response);
      done(std::move(response));
    });
  }

  void ListConnections(ServerContext& context, const admin::v1::ListConnectionsRequest& request,
                       Done<admin::v1::ListConnectionsResponse> done) override {
    Answer<admin::v1::ListConnectionsResponse>(
        std::move(done), [&context, request](admin::v1::ListConnectionsResponse& response) {
          const uint32_t limit = LimitOf(request.page());
          auto found = Collect<call::ConnectionView>(
              request.page().after().id() + 1, kAll, limit, WaitUntil(context),
              [](const Inspected& subject, uint64_t id, std::vector<call::ConnectionView>& views) {
                call::ConnectionView view;
                if (!subject.Describe(view)) return;
                view.id = id;
                views.push_back(std::move(view));
              });
          std::sort(found.views.begin(), found.views.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
          const Moment now = Moment::Now();
          PageFiller filler(limit, response, *response.mutable_connections());
          for (const call::ConnectionView& view : found.views) {
            admin::v1::Place place;
            place.set_id(view.id);
            if (!filler.Add(Show(view, now.coarse), place)) break;
          }
          ShowUnanswered(found.unanswered, response);
        });
  }

  void ListCalls(ServerContext& context, const admin::v1::ListCallsRequest& request,
                 Done<admin::v1::ListCallsResponse> done) override {
    Answer<admin::v1::ListCallsResponse>(std::move(done), [&context, request](admin::v1::ListCallsResponse& response) {
      const uint32_t limit = LimitOf(request.page());
      const call::CallPlace after = {request.page().after().id(), request.page().after().sub()};
      const absl::Time until =
          request.min_age_ms() == 0 ? absl::InfiniteFuture() : base::CoarseNow() - Milliseconds(request.min_age_ms());
      auto found = Collect<call::CallView>(
          std::max(after.connection, request.connection()), request.connection() == 0 ? kAll : request.connection(),
          limit, WaitUntil(context),
          [after, until, limit](const Inspected& subject, uint64_t id, std::vector<call::CallView>& views) {
            subject.DescribeCalls(id == after.connection ? after.call : 0, until, limit + 1, views);
            for (call::CallView& view : views) view.place.connection = id;
          });
      std::sort(found.views.begin(), found.views.end(), [](const auto& a, const auto& b) { return a.place < b.place; });
      const Moment now = Moment::Now();
      PageFiller filler(limit, response, *response.mutable_calls());
      for (const call::CallView& view : found.views) {
        admin::v1::Place place;
        place.set_id(view.place.connection);
        place.set_sub(view.place.call);
        if (!filler.Add(Show(view, now), place)) break;
      }
      ShowUnanswered(found.unanswered, response);
    });
  }

  void ListTransfers(ServerContext& context, const admin::v1::ListTransfersRequest& request,
                     Done<admin::v1::ListTransfersResponse> done) override {
    Answer<admin::v1::ListTransfersResponse>(std::move(done), [&context,
                                                               request](admin::v1::ListTransfersResponse& response) {
      const uint32_t limit = LimitOf(request.page());
      const uint64_t after_id = request.page().after().id();
      const transport::TransferPlace after = {request.page().after().sent(), request.page().after().sub()};
      auto found = Collect<call::TransferOfCall>(
          std::max(after_id, request.connection()), request.connection() == 0 ? kAll : request.connection(), limit,
          WaitUntil(context),
          [after_id, after, limit](const Inspected& subject, uint64_t id, std::vector<call::TransferOfCall>& views) {
            subject.DescribeTransfers(id == after_id ? after : transport::TransferPlace(), limit + 1, views);
            for (call::TransferOfCall& view : views) view.connection = id;
          });
      std::sort(found.views.begin(), found.views.end(), [](const auto& a, const auto& b) {
        return std::tie(a.connection, a.transfer.place) < std::tie(b.connection, b.transfer.place);
      });
      const Moment now = Moment::Now();
      PageFiller filler(limit, response, *response.mutable_transfers());
      for (const call::TransferOfCall& view : found.views) {
        admin::v1::Place place;
        place.set_id(view.connection);
        place.set_sub(view.transfer.place.payload_id);
        place.set_sent(view.transfer.place.sent);
        if (!filler.Add(Show(view, now), place)) break;
      }
      ShowUnanswered(found.unanswered, response);
    });
  }

  void ListBudgets(ServerContext&, const admin::v1::ListBudgetsRequest& request,
                   Done<admin::v1::ListBudgetsResponse> done) override {
    Answer<admin::v1::ListBudgetsResponse>(std::move(done), [request](admin::v1::ListBudgetsResponse& response) {
      const uint32_t limit = LimitOf(request.page());
      PageFiller filler(limit, response, *response.mutable_budgets());
      for (const memory::BudgetView& view : memory::ListBudgets(request.page().after().id(), limit + 1)) {
        admin::v1::Place place;
        place.set_id(view.id);
        if (!filler.Add(Show(view), place)) break;
      }
      *response.mutable_memory() = admin_service::ShowMemory();
    });
  }

  void ListHolders(ServerContext&, const admin::v1::ListHoldersRequest& request,
                   Done<admin::v1::ListHoldersResponse> done) override {
    Answer<admin::v1::ListHoldersResponse>(std::move(done), [request](admin::v1::ListHoldersResponse& response) {
      const uint32_t limit = LimitOf(request.page());
      const Moment now = Moment::Now();
      memory::HolderQuery query;
      query.after = request.page().after().id();
      query.limit = limit + 1;
      query.budget = request.budget();
      if (request.min_age_ms() > 0) query.until = now.wall - Milliseconds(request.min_age_ms());
      PageFiller filler(limit, response, *response.mutable_holders());
      for (const memory::HolderView& view : memory::ListHolders(query)) {
        admin::v1::Place place;
        place.set_id(view.id);
        if (!filler.Add(Show(view, now), place)) break;
      }
    });
  }

  // A client's number: bounded, so that what is done with it cannot overflow.
  static absl::Duration Milliseconds(uint64_t count) {
    constexpr uint64_t kCentury = 100ull * 365 * 24 * 3600 * 1000;
    return absl::Milliseconds(static_cast<int64_t>(std::min(count, kCentury)));
  }

  const std::shared_ptr<Executor> threads_ =
      MakeThreadPool({.min_threads = 1, .max_threads = kThreads, .thread_name = "pagewire-admin"});
};

AdminService::AdminService() : impl_(std::make_unique<Impl>()) {}
AdminService::~AdminService() = default;

Service* AdminService::service() { return impl_.get(); }

}  // namespace pagewire
