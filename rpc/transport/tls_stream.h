// A stream whose bytes travel through another one encrypted by TLS.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "transport/byte_stream.h"
#include "transport/last_words.h"
#include "transport/loop.h"
#include "transport/readiness.h"
#include "transport/tls_context.h"

namespace pagewire::transport {

// Until the handshake is done, reads and writes are blocked. A handshake that fails fails both, with UNAVAILABLE and
// the reason; the peer is sent the alert that says it. A peer that ends without saying so (close_notify) has failed,
// too: somebody else may have cut the connection.
class TlsStream final : public ByteStream, private ByteStream::Observer {
 public:
  // `inner` has not been started and lives on `loop`. `peer_name` as in TlsContext::NewConnection; for messages only.
  TlsStream(std::unique_ptr<ByteStream> inner, Loop& loop, SslPtr ssl, bool server, std::string_view peer_name);
  ~TlsStream() override;

  void Start(ByteStream::Observer* observer) override;
  void Detach() override { readiness_.Start(nullptr); }
  IoResult Read(absl::Span<const iovec> into) override;
  IoResult Write(absl::Span<const iovec> from, WriteOptions options) override;
  PagePaths page_paths() const override;
  void CloseWrite() override;
  void Abort() override;
  bool SendQueueEmpty() override;
  const std::string& peer() const override { return inner_->peer(); }
  std::string local() const override { return inner_->local(); }
  std::string encryption() const override;
  bool same_host() const override { return inner_->same_host(); }
  int fd() const override { return -1; }
  PeerIdentity identity() const override { return identity_; }

 private:
  friend struct TlsBio;
  enum class State { kHandshake, kOpen, kFailed };

  void OnReadable() override;
  void OnWritable() override;

  // Goes on with the handshake. Whether it ended just now, either way.
  bool Shake();
  void Fail(absl::Status error);
  absl::Status Error();
  bool ProtocolAgreed();
  void AnswerPlainClient();

  // Writes out what is encrypted. False while some of it has to wait, or once the stream has failed.
  bool Flush();
  size_t Encrypt(absl::Span<const iovec> from);
  bool EncryptRecord(const char* data, size_t size);
  void SayGoodbye();

  // Reading goes on in another turn of the loop.
  void GoOnLater();

  static int OnVerifyError(int ok, X509_STORE_CTX* store);
  static void OnHandshakeMessage(int sent, int version, int type, const void* message, size_t size, SSL* ssl, void*);

  Loop& loop_;
  std::unique_ptr<Relay> relay_;
  std::unique_ptr<ByteStream> inner_;
  const bool server_;
  const std::string peer_name_;
  SslPtr ssl_;
  State state_ = State::kHandshake;
  bool started_ = false;
  bool aborted_ = false;
  bool write_closed_ = false;  // by us
  bool said_goodbye_ = false;
  bool peer_closed_ = false;
  absl::Status read_error_;
  absl::Status write_error_;
  absl::Status inner_error_;  // of the stream below
  std::string verify_error_;  // why the peer's certificate was refused
  std::string first_bytes_;   // of the peer
  std::string out_;           // encrypted, to be written from out_begin_ on
  size_t out_begin_ = 0;
  PeerIdentity identity_;  // once the handshake is done
  size_t left_in_turn_;    // encrypted bytes that may be read
  bool goes_on_later_ = false;
  uint64_t read_bytes_ = 0;  // decrypted
  uint64_t key_updates_ = 0;
  const std::shared_ptr<TlsStream*> alive_;  // expires with us; what is posted holds a weak reference
  Readiness readiness_;
};

}  // namespace pagewire::transport
