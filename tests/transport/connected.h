// Sessions under test and what is at their other ends, on one loop.
#pragma once

#include <memory>
#include <utility>

#include "transport/in_process_stream.h"
#include "transport/manual_loop.h"
#include "transport/raw_peer.h"
#include "transport/session_end.h"

namespace pagewire::transport::testing {

// A session and a peer that speaks raw frames. The session has sent its preface; the peer says nothing by itself.
struct SessionAndPeer {
  SessionAndPeer(ManualLoop& loop, SessionOptions options, InProcessOptions buffer = {}) {
    const bool session_initiates = options.initiator;
    auto [session_stream, peer_stream] = MakeInProcessPair(loop, loop, buffer);
    session = std::make_unique<SessionEnd>(loop, std::move(session_stream), std::move(options));
    peer = std::make_unique<RawPeer>(loop, std::move(peer_stream), !session_initiates);
    loop.RunUntilIdle();
  }

  std::unique_ptr<SessionEnd> session;
  std::unique_ptr<RawPeer> peer;
};

// Two sessions; the prefaces were exchanged.
struct TwoSessions {
  TwoSessions(ManualLoop& loop, SessionOptions client_options, SessionOptions server_options) {
    auto [client_stream, server_stream] = MakeInProcessPair(loop, loop);
    client = std::make_unique<SessionEnd>(loop, std::move(client_stream), std::move(client_options));
    server = std::make_unique<SessionEnd>(loop, std::move(server_stream), std::move(server_options));
    loop.RunUntilIdle();
    client->TakeEvents();
    server->TakeEvents();
  }

  std::unique_ptr<SessionEnd> client;
  std::unique_ptr<SessionEnd> server;
};

}  // namespace pagewire::transport::testing
