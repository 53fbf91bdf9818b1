// Lets an operator ask a running process for its connections, calls, payloads on their way, memory budgets, and who
// holds what: pagewire.admin.v1, "pagewire/admin/v1/admin.proto" beside this header. Link pagewire::admin_service.
//
// It shows the addresses and identities of peers and the names of methods, of the whole process, not of one server
// alone: register it only where an authorizer (<pagewire/authorizer.h>) or the port's reach keeps strangers away.
// Metadata, messages, payloads, tokens and keys are never shown.
#pragma once

#include <pagewire/service.h>

#include <memory>

namespace pagewire {

// Register service() with ServerBuilder::RegisterInlineService: then it answers also while all threads of the server's
// executor are busy, which may be what one wants to know. RegisterService serves as well while they are not.
//
// Nothing is collected until somebody asks. Answers are made on three threads of this object's own. Two ask each
// connection on its loop, one after the other, so that other work goes on between them, and wait no longer than a
// second or the call's deadline for loops that do not answer, which the answer says; the third is for budgets and
// holders, which no loop is asked for. An answer has a limit on entries and on bytes. Calls fail as any calls do, with
// DEADLINE_EXCEEDED or CANCELLED, and for no reason of its own.
//
// Must outlive the servers it is registered with. Thread-safe.
class AdminService {
 public:
  AdminService();
  ~AdminService();
  AdminService(const AdminService&) = delete;
  AdminService& operator=(const AdminService&) = delete;

  // Owned by this object.
  Service* service();

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace pagewire
