// Who may call which method of a server.
#pragma once

#include <pagewire/interceptor.h>

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <functional>
#include <memory>
#include <string>

namespace pagewire {

struct PolicyFileOptions {
  // What time it is; null: a clock that nobody sets. Any thread.
  std::function<absl::Duration()> clock = nullptr;
};

// For ServerBuilder::AddInterceptor, before interceptors that should not see calls of just anybody. Ends calls that the
// policy in the file does not allow with PERMISSION_DENIED; the message names the method, the rule and the client.
//
// The file is gRPC's authorization policy (proposal A43) in JSON, at most 1 MiB:
//
//   {"name": "store",
//    "deny_rules": [{"name": "no deletes", "request": {"paths": ["*/Delete"]}}],
//    "allow_rules": [{"name": "operators", "source": {"principals": ["spiffe://example.com/op/*", "uid:0"]}},
//                    {"name": "readers", "source": {"principals": ["*"]},
//                     "request": {"paths": ["/store.Store/Get", "/store.Store/List"],
//                                 "headers": [{"key": "purpose", "values": ["report"]}]}}]}
//
// A call that a deny rule matches is denied; then one that an allow rule matches is allowed; any other is denied. A
// rule matches if its source and its request do, of which either may be missing: any source, any request.
//   principals  one of them: who the client has proven to be (ServerContext::peer_identity). URIs, DNS names and the
//               common name of its certificate (the latter two only without a colon, so that none passes for a URI);
//               "uid:1000" is the user at the other end of a Unix socket, "uid:*" any; "*" anybody who has proven
//               something, "" an encrypted connection whose client has proven nothing. Within a process nobody has.
//   paths       one of them: "/package.Service/Method".
//   headers     all of them, one of the values each: what the client's metadata says, which proves nothing.
// Values match as a whole and with their case; "abc*" is a beginning, "*abc" an end, "*" anything that is not empty; a
// * elsewhere is an error, and so is everything that is not described here.
//
// Asked once, when a handler is about to run: calls and streams that run stay allowed. Requests have arrived by then,
// within the server's limits, and methods that the server does not have are UNIMPLEMENTED for everybody.
//
// The file is looked at when a call comes, at most once a second, and read again when it says something else; that is
// logged. Where it cannot be read or is not valid, what was read before stays in use, and one warning is logged. It is
// best replaced by rename(2).
//
// INVALID_ARGUMENT: what is wrong with the file, and where; values of headers are not shown. Thread-safe; it does not
// block but for reading the file.
absl::StatusOr<std::shared_ptr<ServerInterceptor>> PolicyFileAuthorizer(std::string path,
                                                                        PolicyFileOptions options = {});

}  // namespace pagewire
