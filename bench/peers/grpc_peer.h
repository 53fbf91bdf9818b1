// The forms of the gRPC peer.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>

#include "harness/load.h"

namespace pagewire::bench {

// Channels to the server, each with a connection of its own.
std::shared_ptr<grpc::Channel> MakeGrpcChannel(const Options& options, int port);
// What all servers have: the port, and the options that its users tune.
void SetGrpcOptions(grpc::ServerBuilder& builder, const Options& options, int& port);

// sync and callback: generated code, payloads in a bytes field.
std::shared_ptr<void> ServeGrpcSync(const Options& options, int& port);
std::shared_ptr<void> ServeGrpcCallback(const Options& options, int& port);
std::unique_ptr<Client> MakeGrpcSyncClient(const Options& options, int port);
std::unique_ptr<Client> MakeGrpcCallbackClient(const Options& options, int port);

// generic: payloads are ByteBuffers, which are neither serialized nor copied.
std::shared_ptr<void> ServeGrpcGeneric(const Options& options, int& port);
std::unique_ptr<Client> MakeGrpcGenericClient(const Options& options, int port);

}  // namespace pagewire::bench
