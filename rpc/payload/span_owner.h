// Who keeps the bytes of a payload's span.
#pragma once

namespace pagewire::memory {

class FileMemory;

// The bytes stay as they are until this is destroyed, on the thread that drops the last handle.
class SpanOwner {
 public:
  SpanOwner() = default;
  SpanOwner(const SpanOwner&) = delete;
  SpanOwner& operator=(const SpanOwner&) = delete;
  virtual ~SpanOwner() = default;

  // Whether the kernel and the peer may be shown the pages themselves: such pages can be given up when nobody is left
  // to say that they are not looked at any more.
  virtual bool lendable() const { return false; }

  // Once this is destroyed nobody writes to these pages: whoever still has them sees what they hold now. Only where
  // they are lendable. Thread-safe.
  virtual void GiveUpPages() const {}

  // The file that the bytes are in; null: they are in memory.
  virtual const FileMemory* file() const { return nullptr; }
};

}  // namespace pagewire::memory
