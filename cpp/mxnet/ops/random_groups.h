// Walking an array in the groups that random bits come in.
#pragma once
#include <algorithm>

#include "mxnet/base/philox.h"
#include "mxnet/engine/parallel.h"

namespace mxnet {

// Random numbers worth a thread.
inline constexpr int64_t kRandomGrain = 16384;

// Where in the stream a call is.
struct Position {
  uint64_t key, offset;
};

// Calls body(group, first, from, to): elements first + (from .. to) of the array are numbers from .. to of the group.
template <class Body>
void each_group(int64_t begin, int64_t end, uint64_t offset, const Body& body) {
  uint64_t at = offset + static_cast<uint64_t>(begin), last = offset + static_cast<uint64_t>(end);
  while (at < last) {
    uint64_t group = at / kPhiloxGroup, base = group * kPhiloxGroup;
    int64_t from = static_cast<int64_t>(at - base);
    int64_t to = static_cast<int64_t>(std::min<uint64_t>(kPhiloxGroup, last - base));
    body(group, static_cast<int64_t>(base - offset), from, to);
    at = base + static_cast<uint64_t>(to);
  }
}

}  // namespace mxnet
