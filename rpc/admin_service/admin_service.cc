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

// What asks loops is answered by so many threads. More would only make loops' work out of operators' impatience.
constexpr size_t kThreads = 2;

constexpr uint64_t kAll = ~uint64_t{0};

// A client's number: bounded, so that what is done with it cannot overflow.
absl::Duration Milliseconds(uint64_t count) {
  constexpr uint64_t kCentury = 100ull * 365 * 24 * 3600 * 1000;
  return absl::Milliseconds(static_cast<int64_t>(std::min(count, kCentury)));
}

// Connections with ids above `after`, up to `last`.
struct Range {
  uint64_t after = 0;
  uint64_t last = kAll;
};

// Those whose calls or transfers come next. An id in a place is that of a connection of which there may be more, unless
// the place is at its end.
template <typename Request>
Range RangeOf(const Request& request) {
  const admin::v1::Place& place = request.page().after();
  const uint64_t done = place.id() == 0 || place.sub() == kAll ? place.id() : place.id() - 1;
  if (request.connection() == 0) return {done, kAll};
  return {std::max(done, request.connection() - 1), request.connection()};
}

// When the listing began, by the clock of its entries. Those that came later are left out: it would have no end where
// new ones come faster than pages are read.
absl::Time BeganAt(const admin::v1::Page& page, absl::Time now) {
  return page.after().listed_ns() == 0 ? now : absl::FromUnixNanos(page.after().listed_ns());
}

// Asks all connections of the range at once, so that a loop that is stuck does not use up the time of the others. More
// than `limit` views, if there are so many, in no order.
template <typename View>
call::Findings<View> Collect(const ServerContext& context, const Range& range, uint32_t limit, const Ask<View>& ask) {
  std::vector<std::shared_ptr<const call::Listed>> subjects;
  for (uint64_t after = range.after; after < range.last;) {
    auto listed = call::Directory::Process().List(after, std::min<uint64_t>(kListedAtATime, range.last - after));
    if (listed.empty()) break;
    after = listed.back()->id;
    std::move(listed.begin(), listed.end(), std::back_inserter(subjects));
  }
  while (!subjects.empty() && subjects.back()->id > range.last) subjects.pop_back();
  const absl::Duration patience = std::min(kPatience, context.deadline() - absl::Now());
  return call::Survey<View>(subjects, ask, {limit + size_t{1}, std::max(patience, absl::ZeroDuration())});
}

// Fills an answer with what was found, in order, and with who did not answer, up to where it ends: that is where it is
// full, or before the first connection that it would neither show nor name.
template <typename View, typename Response, typename Entries, typename PlaceOf, typename ShowView>
void ShowFindings(const call::Findings<View>& found, uint32_t limit, Response& response, Entries& entries,
                  PlaceOf place_of, ShowView show) {
  const bool nameable = found.unanswered.size() <= admin_service::kMaxUnanswered;
  const uint64_t last = nameable ? kAll : found.unanswered[admin_service::kMaxUnanswered - 1];
  PageFiller filler(limit, response, entries);
  for (const View& view : found.views) {
    const admin::v1::Place place = place_of(view);
    if (place.id() > last || !filler.Add(show(view), place)) break;
  }
  if (!nameable && !response.has_next()) {
    response.mutable_next()->set_id(last);
    response.mutable_next()->set_sub(kAll);
  }
  for (const uint64_t id : found.unanswered) {
    if (response.has_next() && id > response.next().id()) break;
    response.add_unanswered(id);
  }
}

void List(const ServerContext& context, const admin::v1::ListConnectionsRequest& request,
          admin::v1::ListConnectionsResponse& response) {
  const uint32_t limit = LimitOf(request.page());
  auto found = Collect<call::ConnectionView>(
      context, {request.page().after().id(), kAll}, limit,
      [](const Inspected& subject, uint64_t id, std::vector<call::ConnectionView>& views) {
        call::ConnectionView view;
        if (!subject.Describe(view)) return;
        view.id = id;
        views.push_back(std::move(view));
      });
  std::sort(found.views.begin(), found.views.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  const Moment now = Moment::Now();
  const auto place_of = [](const call::ConnectionView& view) {
    admin::v1::Place place;
    place.set_id(view.id);
    return place;
  };
  ShowFindings(found, limit, response, *response.mutable_connections(), place_of,
               [&](const call::ConnectionView& view) { return Show(view, now.coarse); });
}

void List(const ServerContext& context, const admin::v1::ListCallsRequest& request,
          admin::v1::ListCallsResponse& response) {
  const uint32_t limit = LimitOf(request.page());
  const call::CallPlace after = {request.page().after().id(), request.page().after().sub()};
  const absl::Time asked = base::CoarseNow();
  const absl::Time began = BeganAt(request.page(), asked);
  const absl::Time until = std::min(began, asked - Milliseconds(request.min_age_ms()));
  auto found = Collect<call::CallView>(
      context, RangeOf(request), limit,
      [after, until, limit](const Inspected& subject, uint64_t id, std::vector<call::CallView>& views) {
        subject.DescribeCalls(id == after.connection ? after.call : 0, until, limit + 1, views);
        for (call::CallView& view : views) view.place.connection = id;
      });
  std::sort(found.views.begin(), found.views.end(), [](const auto& a, const auto& b) { return a.place < b.place; });
  const Moment now = Moment::Now();
  const auto place_of = [](const call::CallView& view) {
    admin::v1::Place place;
    place.set_id(view.place.connection);
    place.set_sub(view.place.call);
    return place;
  };
  ShowFindings(found, limit, response, *response.mutable_calls(), place_of,
               [&](const call::CallView& view) { return Show(view, now); });
  if (response.has_next()) response.mutable_next()->set_listed_ns(absl::ToUnixNanos(began));
}

void List(const ServerContext& context, const admin::v1::ListTransfersRequest& request,
          admin::v1::ListTransfersResponse& response) {
  const uint32_t limit = LimitOf(request.page());
  const uint64_t after_id = request.page().after().id();
  const transport::TransferPlace after = {request.page().after().sent(), request.page().after().sub()};
  const absl::Time began = BeganAt(request.page(), absl::Now());
  // That clock may have been set back since a transfer began: the first page has them all.
  const absl::Time until = request.page().after().listed_ns() == 0 ? absl::InfiniteFuture() : began;
  auto found = Collect<call::TransferOfCall>(
      context, RangeOf(request), limit,
      [after_id, after, until, limit](const Inspected& subject, uint64_t id, std::vector<call::TransferOfCall>& views) {
        subject.DescribeTransfers(id == after_id ? after : transport::TransferPlace(), until, limit + 1, views);
        for (call::TransferOfCall& view : views) view.connection = id;
      });
  std::sort(found.views.begin(), found.views.end(), [](const auto& a, const auto& b) {
    return std::tie(a.connection, a.transfer.place) < std::tie(b.connection, b.transfer.place);
  });
  const Moment now = Moment::Now();
  const auto place_of = [](const call::TransferOfCall& view) {
    admin::v1::Place place;
    place.set_id(view.connection);
    place.set_sub(view.transfer.place.payload_id);
    place.set_sent(view.transfer.place.sent);
    return place;
  };
  ShowFindings(found, limit, response, *response.mutable_transfers(), place_of,
               [&](const call::TransferOfCall& view) { return Show(view, now); });
  if (response.has_next()) response.mutable_next()->set_listed_ns(absl::ToUnixNanos(began));
}

void List(const ServerContext&, const admin::v1::ListBudgetsRequest& request,
          admin::v1::ListBudgetsResponse& response) {
  const uint32_t limit = LimitOf(request.page());
  PageFiller filler(limit, response, *response.mutable_budgets());
  for (const memory::BudgetView& view : memory::ListBudgets(request.page().after().id(), limit + 1)) {
    admin::v1::Place place;
    place.set_id(view.id);
    if (!filler.Add(Show(view), place)) break;
  }
  *response.mutable_memory() = admin_service::ShowMemory();
}

void List(const ServerContext&, const admin::v1::ListHoldersRequest& request,
          admin::v1::ListHoldersResponse& response) {
  const uint32_t limit = LimitOf(request.page());
  const Moment now = Moment::Now();
  memory::HolderQuery query;
  query.after = request.page().after().id();
  query.last = request.page().after().last() == 0 ? memory::LastHolderId() : request.page().after().last();
  query.limit = limit + 1;
  query.budget = request.budget();
  if (request.min_age_ms() > 0) query.until = now.wall - Milliseconds(request.min_age_ms());
  PageFiller filler(limit, response, *response.mutable_holders());
  for (const memory::HolderView& view : memory::ListHolders(query)) {
    admin::v1::Place place;
    place.set_id(view.id);
    place.set_last(query.last);
    if (!filler.Add(Show(view, now), place)) break;
  }
}

}  // namespace

class AdminService::Impl final : public admin::v1::Admin::CallbackService {
 private:
  template <typename Response>
  using Done = absl::AnyInvocable<void(absl::StatusOr<Response>)>;

  // Answers on one of `threads`. The context stays until `done` is called.
  template <typename Request, typename Response>
  static void Answer(Executor& threads, ServerContext& context, const Request& request, Done<Response> done) {
    threads.Run([&context, request, done = std::move(done)]() mutable {
      if (context.IsCancelled()) return done(absl::CancelledError("nobody waits for the answer"));
      Response response;
      List(context, request, response);
      done(std::move(response));
    });
  }

  void ListConnections(ServerContext& context, const admin::v1::ListConnectionsRequest& request,
                       Done<admin::v1::ListConnectionsResponse> done) override {
    Answer(*loop_threads_, context, request, std::move(done));
  }

  void ListCalls(ServerContext& context, const admin::v1::ListCallsRequest& request,
                 Done<admin::v1::ListCallsResponse> done) override {
    Answer(*loop_threads_, context, request, std::move(done));
  }

  void ListTransfers(ServerContext& context, const admin::v1::ListTransfersRequest& request,
                     Done<admin::v1::ListTransfersResponse> done) override {
    Answer(*loop_threads_, context, request, std::move(done));
  }

  void ListBudgets(ServerContext& context, const admin::v1::ListBudgetsRequest& request,
                   Done<admin::v1::ListBudgetsResponse> done) override {
    Answer(*memory_thread_, context, request, std::move(done));
  }

  void ListHolders(ServerContext& context, const admin::v1::ListHoldersRequest& request,
                   Done<admin::v1::ListHoldersResponse> done) override {
    Answer(*memory_thread_, context, request, std::move(done));
  }

  const std::shared_ptr<Executor> loop_threads_ =
      MakeThreadPool({.min_threads = 1, .max_threads = kThreads, .thread_name = "pagewire-admin"});

  // For what asks no loop: it does not wait behind who waits for one that is stuck.
  const std::shared_ptr<Executor> memory_thread_ =
      MakeThreadPool({.min_threads = 1, .max_threads = 1, .thread_name = "pagewire-admin"});
};

AdminService::AdminService() : impl_(std::make_unique<Impl>()) {}
AdminService::~AdminService() = default;

Service* AdminService::service() { return impl_.get(); }

}  // namespace pagewire
