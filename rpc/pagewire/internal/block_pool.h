// Memory for what lives as long as a call: its state, its places in tables, the tasks that it posts. Such objects are
// small, of few sizes, and as many come as go, so blocks are kept and used again instead of going back to the
// allocator.
//
// Each thread keeps some of each size, which takes no lock; what one thread has too many of goes in bundles, under a
// lock, to those that have none. A thread keeps at most 32 KiB of each of 16 sizes, the process at most 256 KiB of each
// beside that. Where AddressSanitizer or ThreadSanitizer watches, nothing is kept, so that it sees all uses after the
// end.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace pagewire::internal {

// `bytes` of memory, aligned for any type that is not over-aligned; throws what operator new throws. Above 1 KiB it is
// operator new's. Any thread.
void* TakeBlock(size_t bytes);

// Gives it back, `bytes` being what was asked for. Any thread, at any time of its life.
void GiveBlock(void* block, size_t bytes) noexcept;

// For the standard library's and abseil's templates. All are equal.
template <typename T>
class BlockAllocator {
 public:
  using value_type = T;
  static_assert(alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);

  BlockAllocator() = default;
  template <typename U>
  BlockAllocator(const BlockAllocator<U>&) {}  // NOLINT(google-explicit-constructor): allocators are converted

  T* allocate(size_t count) {
    if (count > static_cast<size_t>(-1) / sizeof(T)) throw std::bad_array_new_length();
    return static_cast<T*>(TakeBlock(count * sizeof(T)));
  }
  void deallocate(T* memory, size_t count) noexcept { GiveBlock(memory, count * sizeof(T)); }

  friend bool operator==(const BlockAllocator&, const BlockAllocator&) { return true; }
};

// std::make_shared in a block.
template <typename T, typename... Args>
std::shared_ptr<T> MakeShared(Args&&... args) {
  return std::allocate_shared<T>(BlockAllocator<T>(), std::forward<Args>(args)...);
}

// A callable in a block, as small as a pointer: absl::AnyInvocable keeps it inside itself, where what `Function` has
// captured would need memory of its own.
template <typename Function>
class Boxed {
 public:
  explicit Boxed(Function function) : function_(static_cast<Function*>(TakeBlock(sizeof(Function)))) {
    static_assert(std::is_nothrow_move_constructible_v<Function>);
    static_assert(alignof(Function) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);
    new (function_) Function(std::move(function));
  }
  Boxed(Boxed&& other) noexcept : function_(std::exchange(other.function_, nullptr)) {}
  Boxed& operator=(Boxed&&) = delete;
  ~Boxed() {
    if (function_ == nullptr) return;
    function_->~Function();
    GiveBlock(function_, sizeof(Function));
  }

  template <typename... Args>
  requires std::is_invocable_v<Function&, Args...>
  decltype(auto) operator()(Args&&... args) { return (*function_)(std::forward<Args>(args)...); }

 private:
  Function* function_;
};

template <typename Function>
Boxed<std::decay_t<Function>> Box(Function&& function) {
  return Boxed<std::decay_t<Function>>(std::forward<Function>(function));
}

}  // namespace pagewire::internal
