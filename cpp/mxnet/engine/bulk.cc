#include "mxnet/engine/bulk.h"

#include <algorithm>
#include <atomic>

#include "mxnet/engine/threaded_engine.h"

namespace mxnet::bulk {
namespace {

// One thread's share. Others may empty it, since they may wait for what it keeps back.
struct Gathered {
  int size = 0;   // of the scope; used by the owner only
  int count = 0;  // pushes since the last hand-over; used by the owner only
  std::vector<Operation*> ready;
};

// Never destroyed: threads may end after the program's static objects.
struct Registry {
  std::mutex mutex;  // for everything kept back by any thread
  std::vector<Gathered*> threads;
  std::atomic<int> kept{0};
  std::atomic<int> waiting{0};
};

Registry& registry() {
  static Registry& instance = *new Registry;
  return instance;
}

void hand_over(std::span<Operation* const> operations) {
  while (!operations.empty()) {
    ThreadedEngine& engine = operations[0]->engine();
    size_t same = 1;
    while (same < operations.size() && &operations[same]->engine() == &engine) ++same;
    engine.dispatch(operations.first(same));
    operations = operations.subspan(same);
  }
}

void take(Gathered& from, std::vector<Operation*>& to) {
  to.insert(to.end(), from.ready.begin(), from.ready.end());
  from.ready.clear();
}

void flush_thread(Gathered& gathered) {
  gathered.count = 0;
  std::vector<Operation*> operations;
  {
    std::lock_guard lock(registry().mutex);
    take(gathered, operations);
    registry().kept.fetch_sub(static_cast<int>(operations.size()));
  }
  hand_over(operations);
}

thread_local bool gathers = false;  // spares threads that never gather their share

struct ThreadShare {
  Gathered gathered;
  ThreadShare() {
    std::lock_guard lock(registry().mutex);
    registry().threads.push_back(&gathered);
  }
  ~ThreadShare() {
    gathers = false;
    flush_thread(gathered);
    std::lock_guard lock(registry().mutex);
    std::erase(registry().threads, &gathered);
  }
};

Gathered& mine() {
  thread_local ThreadShare share;
  return share.gathered;
}

}  // namespace

int set_size(int size) {
  if (!gathers && size <= 1) return 0;
  Gathered& gathered = mine();
  flush_thread(gathered);
  gathers = size > 1;
  return std::exchange(gathered.size, size);
}

bool gather(Operation* ready) {
  if (!gathers) return false;
  Gathered& gathered = mine();
  if (ready) {
    std::lock_guard lock(registry().mutex);
    gathered.ready.push_back(ready);
    registry().kept.fetch_add(1);
  }
  if (++gathered.count >= gathered.size || registry().waiting.load() > 0) flush_thread(gathered);
  return true;
}

// Counted before looking, as gather keeps before looking: one of the two sees the other.
Waiting::Waiting() {
  Registry& all = registry();
  all.waiting.fetch_add(1);
  if (all.kept.load() == 0) return;
  std::vector<Operation*> operations;
  {
    std::lock_guard lock(all.mutex);
    for (Gathered* thread : all.threads) take(*thread, operations);
    all.kept.fetch_sub(static_cast<int>(operations.size()));
  }
  hand_over(operations);
}

Waiting::~Waiting() { registry().waiting.fetch_sub(1); }

std::mutex& mutex() { return registry().mutex; }

}  // namespace mxnet::bulk
