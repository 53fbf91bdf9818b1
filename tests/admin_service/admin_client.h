// Asks the process of the test by its own admin service, and a server and a channel to be asked about.
#pragma once

#include <gtest/gtest.h>
#include <pagewire/admin_service.h>
#include <pagewire/pagewire.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "integration/blob_service.h"
#include "pagewire/admin/v1/admin.pagewire.h"

namespace pagewire::admin_service {

using admin::v1::Budget;
using admin::v1::Call;
using admin::v1::Connection;
using admin::v1::Holder;
using admin::v1::Transfer;

// Serves the admin service inline, in the process, and reads lists to their ends, from answers that are complete.
class AdminClient {
 public:
  AdminClient();

  std::vector<Connection> Connections(uint32_t limit = 0);
  std::vector<Call> Calls(admin::v1::ListCallsRequest request = {});
  std::vector<Transfer> Transfers(admin::v1::ListTransfersRequest request = {});
  std::vector<Budget> Budgets(uint32_t limit = 0);
  std::vector<Holder> Holders(admin::v1::ListHoldersRequest request = {});
  admin::v1::Memory Memory();

  // Calls of the service of the integration tests: "Echo".
  std::vector<Call> CallsOf(std::string_view method, admin::v1::Side side);
  std::vector<Holder> HoldersOf(std::string_view method);

  admin::v1::Admin::Stub& stub() { return *stub_; }

 private:
  AdminService service_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<admin::v1::Admin::Stub> stub_;
};

// "/pagewire.test.Blob/Echo".
std::string MethodName(std::string_view method);

// Asks again until `done()`: the test's time limit ends a wait in vain.
template <typename Done>
void Await(Done done) {
  while (!done()) absl::SleepFor(absl::Milliseconds(1));
}

// A server on a port of its own and a channel to it, both copying.
class AdminTest : public ::testing::Test {
 protected:
  void Serve(uint64_t held_budget_bytes = 0, ChannelOptions options = {});

  // Instead: the target is a port that nobody listens at.
  void ListenNowhere();

  // Of a channel that does nothing for an hour once it could not connect or a call has failed.
  static ChannelOptions RetriesInAnHour();

  std::string target() const { return "ipv4:127.0.0.1:" + std::to_string(port_); }

  // The test's connection, at either side; an id of 0 if there is none.
  Connection ConnectionOf(admin::v1::Side side);

  AdminClient admin_;
  test::BlobService service_;
  int port_ = 0;
  std::unique_ptr<Server> server_;
  std::shared_ptr<Channel> channel_;
  std::unique_ptr<test::Blob::Stub> stub_;
};

}  // namespace pagewire::admin_service
