#include "mxnet/base/cpu.h"

#include <omp.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>

#include "mxnet/base/thread_limit.h"

namespace mxnet {
namespace {

int detect_level() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  auto has_v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
  auto has_v4 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
                __builtin_cpu_supports("avx512cd");
  int level = !has_v3 ? 2 : !has_v4 ? 3 : 4;
#else
  int level = 0;
#endif
  const char* wish = std::getenv("MXNET_ISA_LEVEL");
  return wish ? std::clamp(std::atoi(wish), std::min(2, level), level) : level;
}

int detect_threads() {
  if (std::getenv("OMP_NUM_THREADS")) return std::max(1, omp_get_max_threads());
  cpu_set_t set;
  int cpus = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : omp_get_num_procs();
  return std::max(1, cpus);
}

std::atomic<int>& team_limit() {
  static std::atomic<int> threads = detect_threads();
  return threads;
}

}  // namespace

int isa_level() {
  static const int level = detect_level();
  return level;
}

int compute_threads() { return team_limit().load(std::memory_order_relaxed); }

void limit_compute_threads(int threads) { team_limit() = std::clamp(threads, 1, compute_threads()); }

}  // namespace mxnet
