// What the processor can do.
#pragma once

namespace mxnet {

// The highest x86-64 level (2, 3, 4) the CPU and system support; 0 elsewhere. MXNET_ISA_LEVEL lowers it.
int isa_level();

// Threads a compute operation may use: OMP_NUM_THREADS, else the CPUs this process may run on.
int compute_threads();

}  // namespace mxnet
