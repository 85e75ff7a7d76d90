// Bounding the threads of this process.
#pragma once

namespace mxnet {

// Lets compute operations use at most `threads` threads from now on: for processes that are themselves one of
// several workers. Raises no limit.
void limit_compute_threads(int threads);

}  // namespace mxnet
