#include "transport/tls_stream.h"

#include <absl/strings/str_cat.h>
#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/status.h"
#include "transport/tls_error.h"
#include "transport/tls_identity.h"
#include "wire/preface.h"

namespace pagewire::transport {
namespace {

// What one TLS record holds at most.
constexpr size_t kRecordBytes = SSL3_RT_MAX_PLAIN_LENGTH;

// How much is encrypted before it is written: several records for each system call, few enough to be in cache then.
constexpr size_t kBatchBytes = 8 * kRecordBytes;

// What may wait to be written: a batch, and answers that OpenSSL makes by itself (key updates). A peer that asks for
// more of them without reading any is hostile.
constexpr size_t kMostWaitingBytes = 4 * kBatchBytes;

// What one turn on the loop may read, encrypted: records may be as small as their holder likes, and each costs the
// same.
constexpr size_t kReadPerTurn = 512 << 10;

// Key updates that cost nothing, and how many bytes must come for each one more: who needs them at all, needs one in
// hundreds of gigabytes.
constexpr uint64_t kFreeKeyUpdates = 64;
constexpr uint64_t kBytesPerKeyUpdate = 1 << 20;

// As many as wire::DescribeForeignProtocol looks at.
constexpr size_t kFirstBytes = 8;

}  // namespace

// How OpenSSL reads from and writes to the stream below.
struct TlsBio {
  static TlsStream& StreamOf(BIO* bio) { return *static_cast<TlsStream*>(BIO_get_data(bio)); }

  static int Read(BIO* bio, char* data, size_t size, size_t* count) {
    TlsStream& tls = StreamOf(bio);
    BIO_clear_retry_flags(bio);
    if (!tls.inner_error_.ok()) return -1;
    if (tls.left_in_turn_ == 0) {
      tls.GoOnLater();
      BIO_set_retry_read(bio);
      return -1;
    }
    const iovec into = {data, std::min(size, tls.left_in_turn_)};
    IoResult result = tls.inner_->Read({&into, 1});
    *count = result.bytes;
    tls.left_in_turn_ -= result.bytes;
    switch (result.state) {
      case IoState::kOk:
        if (tls.first_bytes_.size() < kFirstBytes) {
          tls.first_bytes_.append(data, std::min(result.bytes, kFirstBytes - tls.first_bytes_.size()));
        }
        return 1;
      case IoState::kBlocked:
        BIO_set_retry_read(bio);
        return -1;
      case IoState::kEnd:
        BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
        return 0;
      default:
        tls.inner_error_ = std::move(result.error);
        return -1;
    }
  }

  // Always takes all: what cannot be written yet is kept.
  static int Write(BIO* bio, const char* data, size_t size, size_t* count) {
    TlsStream& tls = StreamOf(bio);
    BIO_clear_retry_flags(bio);
    if (tls.out_.size() - tls.out_begin_ + size > kMostWaitingBytes) {
      tls.inner_error_ = absl::UnavailableError(
          absl::StrCat("TLS: the peer reads nothing of ", tls.out_.size(), " bytes of answers to its key updates"));
      return -1;
    }
    if (tls.out_begin_ > tls.out_.size() / 2) tls.out_.erase(0, std::exchange(tls.out_begin_, 0));
    tls.out_.append(data, size);
    *count = size;
    return 1;
  }

  static long Control(BIO* bio, int command, long, void*) {
    if (command == BIO_CTRL_FLUSH) return 1;
    return command == BIO_CTRL_EOF && (BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0) ? 1 : 0;
  }

  static const BIO_METHOD* Method() {
    static const BIO_METHOD* const method = [] {
      BIO_METHOD* const made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "pagewire stream");
      BIO_meth_set_read_ex(made, Read);
      BIO_meth_set_write_ex(made, Write);
      BIO_meth_set_ctrl(made, Control);
      return made;
    }();
    return method;
  }
};

TlsStream::TlsStream(std::unique_ptr<ByteStream> inner, Loop& loop, SslPtr ssl, bool server, std::string_view peer_name)
    : loop_(loop),
      relay_(std::make_unique<Relay>()),
      inner_(std::move(inner)),
      server_(server),
      peer_name_(peer_name),
      ssl_(std::move(ssl)),
      left_in_turn_(kReadPerTurn),
      alive_(std::make_shared<TlsStream*>(this)),
      readiness_(loop) {
  relay_->set_target(this);
  BIO* const bio = BIO_new(TlsBio::Method());
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_app_data(ssl_.get(), this);
  SSL_set_verify(ssl_.get(), SSL_get_verify_mode(ssl_.get()), OnVerifyError);
  SSL_set_msg_callback(ssl_.get(), OnHandshakeMessage);
}

TlsStream::~TlsStream() {
  relay_->set_target(nullptr);
  if (!started_ || aborted_ || !loop_.InLoop()) return;
  const bool unread = state_ == State::kOpen && SSL_has_pending(ssl_.get()) == 1;
  // Without a goodbye the peer knows that not everything was read, as it would from a socket's reset.
  if (!unread) SayGoodbye();
  Flush();
  const bool refused = state_ == State::kFailed && inner_error_.ok();
  if (out_begin_ == out_.size() && !refused) return;
  SayLastWords(loop_, {.relay = std::move(relay_),
                       .stream = std::move(inner_),
                       .bytes = out_.substr(out_begin_),
                       .wait_for_end = refused});
}

void TlsStream::Start(ByteStream::Observer* observer) {
  started_ = true;
  readiness_.Start(observer);
  inner_->Start(relay_.get());
}

PagePaths TlsStream::page_paths() const {
  PagePaths paths;
  paths.without = CopyReason::kTls;
  return paths;
}

// The handshake.

int TlsStream::OnVerifyError(int ok, X509_STORE_CTX* store) {
  if (ok == 1) return 1;
  auto* const ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto& stream = *static_cast<TlsStream*>(SSL_get_app_data(ssl));
  X509* const certificate = X509_STORE_CTX_get_current_cert(store);
  stream.verify_error_ =
      DescribeVerifyError(stream.server_, X509_STORE_CTX_get_error(store),
                          certificate == nullptr ? "none" : DescribeCertificate(*certificate), stream.peer_name_);
  return 0;
}

void TlsStream::OnHandshakeMessage(int sent, int, int type, const void* message, size_t size, SSL* ssl, void*) {
  if (sent != 0 || type != SSL3_RT_HANDSHAKE || size == 0) return;
  if (*static_cast<const unsigned char*>(message) != SSL3_MT_KEY_UPDATE) return;
  auto& stream = *static_cast<TlsStream*>(SSL_get_app_data(ssl));
  if (++stream.key_updates_ <= kFreeKeyUpdates + stream.read_bytes_ / kBytesPerKeyUpdate) return;
  stream.inner_error_ =
      absl::UnavailableError(absl::StrCat("connection to ", stream.peer(), " failed: TLS: ", stream.key_updates_,
                                          " key updates for ", stream.read_bytes_, " bytes are too many"));
}

void TlsStream::GoOnLater() {
  if (std::exchange(goes_on_later_, true)) return;
  loop_.RunAfter(absl::ZeroDuration(), [weak = std::weak_ptr<TlsStream*>(alive_)] {
    const auto alive = weak.lock();
    if (alive == nullptr) return;
    TlsStream& self = **alive;
    self.goes_on_later_ = false;
    self.left_in_turn_ = kReadPerTurn;
    self.OnReadable();
  });
}

std::string TlsStream::encryption() const {
  if (state_ != State::kOpen) return {};
  return absl::StrCat(SSL_get_version(ssl_.get()), " ", SSL_get_cipher_name(ssl_.get()));
}

bool TlsStream::ProtocolAgreed() {
  const unsigned char* selected = nullptr;
  unsigned int length = 0;
  SSL_get0_alpn_selected(ssl_.get(), &selected, &length);
  return std::string_view(reinterpret_cast<const char*>(selected), length) == kTlsProtocol;
}

bool TlsStream::Shake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result != 1 && SSL_get_error(ssl_.get(), result) == SSL_ERROR_WANT_READ) {
    Flush();
    return state_ == State::kFailed;
  }
  if (result != 1 && first_bytes_.empty() && inner_error_.ok()) {
    // Nobody said anything that could have been cut off.
    peer_closed_ = true;
    Fail(absl::UnavailableError(absl::StrCat("connection to ", peer(), " failed: TLS: the peer closed it at once")));
  } else if (result != 1) {
    AnswerPlainClient();
    Fail(Error());
  } else if (!ProtocolAgreed()) {
    Fail(absl::UnavailableError(
        absl::StrCat("connection to ", peer(), " failed: TLS: the peer does not speak pagewire/1 over TLS (ALPN)")));
  } else {
    state_ = State::kOpen;
    identity_ = TlsIdentityOf(*ssl_);
    identity_.process = inner_->identity().process;
    if (write_closed_) SayGoodbye();
  }
  Flush();
  return true;
}

void TlsStream::AnswerPlainClient() {
  // Two alerts, because a Pagewire preface begins with more bytes than one has: the client sees that this is TLS.
  static constexpr std::string_view kAlerts("\x15\3\3\0\2\2\x46\x15\3\3\0\2\1\0", 14);
  if (server_ && !first_bytes_.empty() && first_bytes_[0] == wire::kMagic[0]) out_.assign(kAlerts);
}

absl::Status TlsStream::Error() {
  if (!inner_error_.ok()) {
    ERR_clear_error();
    return base::CloneStatus(inner_error_);
  }
  return absl::UnavailableError(
      absl::StrCat("connection to ", peer(), " failed: ", DescribeTlsFailure(server_, verify_error_, first_bytes_)));
}

void TlsStream::Fail(absl::Status error) {
  state_ = State::kFailed;
  if (read_error_.ok()) read_error_ = std::move(error);
  if (write_error_.ok()) write_error_ = read_error_;
}

void TlsStream::OnReadable() {
  if (!goes_on_later_) left_in_turn_ = kReadPerTurn;
  if (state_ != State::kHandshake) return readiness_.CallNow(true, false);
  if (Shake()) readiness_.CallNow(true, true);
}

void TlsStream::OnWritable() {
  if (state_ != State::kHandshake) {
    Flush();
    return readiness_.CallNow(false, true);
  }
  if (Shake()) readiness_.CallNow(true, true);
}

// Reading.

IoResult TlsStream::Read(absl::Span<const iovec> into) {
  size_t total = 0;
  bool room = false;
  for (const iovec& span : into) {
    for (size_t done = 0; done < span.iov_len;) {
      room = true;
      if (state_ == State::kHandshake || peer_closed_ || !read_error_.ok()) break;
      ERR_clear_error();
      size_t count = 0;
      if (SSL_read_ex(ssl_.get(), static_cast<char*>(span.iov_base) + done, span.iov_len - done, &count) == 1) {
        done += count;
        total += count;
        read_bytes_ += count;
        continue;
      }
      const int error = SSL_get_error(ssl_.get(), 0);
      Flush();  // answers to what was read
      if (error == SSL_ERROR_WANT_READ) return total > 0 ? IoResult::Ok(total) : IoResult::Blocked();
      if (error == SSL_ERROR_ZERO_RETURN) {
        peer_closed_ = true;
      } else {
        Fail(Error());
      }
    }
  }
  if (total > 0 || !room) return IoResult::Ok(total);
  if (peer_closed_) return IoResult::End();
  if (!read_error_.ok()) return IoResult::Failed(base::CloneStatus(read_error_));
  return IoResult::Blocked();
}

// Writing.

IoResult TlsStream::Write(absl::Span<const iovec> from, WriteOptions) {
  if (!write_error_.ok()) return IoResult::Failed(base::CloneStatus(write_error_));
  if (std::all_of(from.begin(), from.end(), [](const iovec& span) { return span.iov_len == 0; })) {
    return IoResult::Ok(0);
  }
  if (state_ == State::kHandshake) return IoResult::Blocked();
  if (!Flush()) return write_error_.ok() ? IoResult::Blocked() : IoResult::Failed(base::CloneStatus(write_error_));
  const size_t taken = Encrypt(from);
  Flush();
  return taken > 0 ? IoResult::Ok(taken) : IoResult::Failed(base::CloneStatus(write_error_));
}

bool TlsStream::EncryptRecord(const char* data, size_t size) {
  ERR_clear_error();
  size_t count = 0;
  if (SSL_write_ex(ssl_.get(), data, size, &count) == 1 && count == size) return true;
  write_error_ = Error();
  return false;
}

size_t TlsStream::Encrypt(absl::Span<const iovec> from) {
  // Small spans share a record: each has a price of its own.
  std::array<char, kRecordBytes> record;
  size_t filled = 0;
  size_t taken = 0;
  for (const iovec& span : from) {
    const auto* data = static_cast<const char*>(span.iov_base);
    for (size_t left = span.iov_len; left > 0 && taken + filled < kBatchBytes;) {
      if (filled == 0 && left >= kRecordBytes) {
        if (!EncryptRecord(data, kRecordBytes)) return taken;
        taken += kRecordBytes;
        data += kRecordBytes;
        left -= kRecordBytes;
        continue;
      }
      const size_t count = std::min(left, kRecordBytes - filled);
      std::memcpy(record.data() + filled, data, count);
      filled += count;
      data += count;
      left -= count;
      if (filled < kRecordBytes) continue;
      if (!EncryptRecord(record.data(), filled)) return taken;
      taken += std::exchange(filled, 0);
    }
  }
  if (filled > 0 && EncryptRecord(record.data(), filled)) taken += filled;
  return taken;
}

bool TlsStream::Flush() {
  while (out_begin_ < out_.size()) {
    const iovec rest = {out_.data() + out_begin_, out_.size() - out_begin_};
    IoResult result = inner_->Write({&rest, 1}, {});
    if (result.state == IoState::kOk) {
      out_begin_ += result.bytes;
      continue;
    }
    if (result.state == IoState::kFailed) {
      if (write_error_.ok()) write_error_ = std::move(result.error);
      out_begin_ = out_.size();
    }
    return false;
  }
  out_.clear();
  out_begin_ = 0;
  if (said_goodbye_) inner_->CloseWrite();
  return write_error_.ok();
}

// The end.

void TlsStream::SayGoodbye() {
  if (said_goodbye_ || state_ != State::kOpen || !write_error_.ok()) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  said_goodbye_ = true;
}

void TlsStream::CloseWrite() {
  if (std::exchange(write_closed_, true)) return;
  SayGoodbye();
  Flush();
}

void TlsStream::Abort() {
  aborted_ = true;
  inner_->Abort();
  read_error_ = write_error_ =
      absl::CancelledError(absl::StrCat("connection to ", peer(), " was aborted by this side"));
}

bool TlsStream::SendQueueEmpty() {
  return write_error_.ok() && state_ != State::kFailed && out_begin_ == out_.size() &&
         (!write_closed_ || said_goodbye_) && inner_->SendQueueEmpty();
}

}  // namespace pagewire::transport
