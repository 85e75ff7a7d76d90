// Bulk: ready operations that a thread keeps back to hand them over together.
#pragma once
#include <mutex>
#include <vector>

#include "mxnet/engine/operation.h"

namespace mxnet::bulk {

int set_size(int size);
// Counts one push of this thread; keeps `ready` (null: it waits for Vars) back if the thread gathers.
// False if the caller has to hand it over itself.
bool gather(Operation* ready);

// While one exists nothing is kept back by any thread: somebody waits, maybe for just that.
class Waiting {
 public:
  Waiting();
  ~Waiting();
  Waiting(const Waiting&) = delete;
};

// Held across fork.
std::mutex& mutex();

}  // namespace mxnet::bulk
