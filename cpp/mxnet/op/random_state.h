#pragma once

#include <vector>

#include "mxnet/op/invoke.h"

namespace mxnet {

// All random numbers to come: where each context stands that was drawn from, and the seed of the others.
struct RandomSnapshot {
  uint64_t seed = 0;
  std::vector<std::pair<Context, RandomState>> contexts;
};
RandomSnapshot random_snapshot();
void restore_random(const RandomSnapshot& snapshot);

}  // namespace mxnet
