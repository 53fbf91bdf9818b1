// A hash map whose elements lie in kept blocks: for what comes and goes with every call.
#pragma once

#include <absl/container/node_hash_map.h>
#include <absl/hash/hash.h>
#include <pagewire/internal/block_pool.h>

#include <functional>
#include <utility>

namespace pagewire::base {

template <typename Key, typename Value>
using PooledMap = absl::node_hash_map<Key, Value, absl::Hash<Key>, std::equal_to<Key>,
                                      internal::BlockAllocator<std::pair<const Key, Value>>>;

}  // namespace pagewire::base
