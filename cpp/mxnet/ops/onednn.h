// What the oneDNN files share: engine, stream, number of threads, a cache of primitives.
#pragma once
#include <omp.h>

#include <dnnl.hpp>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "mxnet/base/cpu.h"
#include "mxnet/engine/engine.h"

namespace mxnet::onednn {

// Both live as long as the process: threads may still compute while it ends.
inline dnnl::engine& engine() {
  static auto* engine = new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return *engine;
}
inline dnnl::stream& stream() {
  thread_local dnnl::stream stream(engine());
  return stream;
}

// The threads an operation may use here: the whole team on the compute thread, else only the caller.
inline int threads() { return on_compute_thread() ? compute_threads() : 1; }

// Bounds oneDNN's parallel regions to a number of threads for a scope.
class ThreadScope {
 public:
  explicit ThreadScope(int n = threads()) : saved_(omp_get_max_threads()) { set(n); }
  ~ThreadScope() { set(saved_); }
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;

 private:
  static void set(int n) {
    if (omp_get_max_threads() != n) omp_set_num_threads(n);
  }
  int saved_;
};

// Compiled primitives by a key of integers, the least recently used dropped first.
template <class Entry>
class Cache {
 public:
  using Key = std::vector<int64_t>;
  explicit Cache(size_t capacity) : capacity_(capacity) {}

  template <class Make>
  std::shared_ptr<Entry> get(const Key& key, const Make& make) {
    std::lock_guard lock(mutex_);
    auto it = index_.find(key);
    if (it != index_.end()) {
      entries_.splice(entries_.begin(), entries_, it->second);
      return it->second->second;
    }
    entries_.emplace_front(key, make());
    index_[key] = entries_.begin();
    if (entries_.size() > capacity_) {
      index_.erase(entries_.back().first);
      entries_.pop_back();
    }
    return entries_.front().second;
  }

 private:
  struct Hash {
    size_t operator()(const Key& key) const {
      uint64_t hash = 0xcbf29ce484222325;
      for (int64_t word : key) hash = (hash ^ static_cast<uint64_t>(word)) * 0x9e3779b97f4a7c15, hash ^= hash >> 29;
      return hash;
    }
  };
  using Item = std::pair<Key, std::shared_ptr<Entry>>;
  size_t capacity_;
  std::mutex mutex_;
  std::list<Item> entries_;
  std::unordered_map<Key, typename std::list<Item>::iterator, Hash> index_;
};

}  // namespace mxnet::onednn
