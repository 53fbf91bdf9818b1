#include "bulk/demo/interrupt.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include <cerrno>

namespace bulk::demo {

Interrupt::Interrupt() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signals_ = Fd(signalfd(-1, &signals, SFD_CLOEXEC));
  stop_ = Fd(eventfd(0, EFD_CLOEXEC));
  thread_ = std::thread([this] { AwaitSignal(); });
}

Interrupt::~Interrupt() {
  eventfd_write(stop_.get(), 1);
  thread_.join();
}

void Interrupt::SetContext(pagewire::ClientContext* context) {
  const std::lock_guard lock(mutex_);
  context_ = context;
  if (context_ != nullptr && requested_) context_->TryCancel();
}

void Interrupt::AwaitSignal() {
  pollfd events[] = {{signals_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
  while (poll(events, 2, -1) < 0 && errno == EINTR) {
  }
  if (events[0].revents == 0) return;
  requested_ = true;
  const std::lock_guard lock(mutex_);
  if (context_ != nullptr) context_->TryCancel();
}

}  // namespace bulk::demo
