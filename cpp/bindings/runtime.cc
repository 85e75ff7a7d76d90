// Engine, storage, random state: what the Python package asks of the runtime as a whole.
#include "python.h"

#include <pybind11/stl.h>

#include "mxnet/base/cpu.h"
#include "mxnet/base/thread_limit.h"
#include "mxnet/device/gpu.h"
#include "mxnet/op/random_state.h"

namespace py = pybind11;

namespace mxnet::python {
namespace {

// Waits give up the interpreter's lock if this thread holds it.
void* before_blocking() { return PyGILState_Check() ? PyEval_SaveThread() : nullptr; }
void after_blocking(void* state) {
  if (state) PyEval_RestoreThread(static_cast<PyThreadState*>(state));
}

// What the library was built with and the CPU has, by the names MXNet has for it.
std::vector<std::string> build_features() {
  std::vector<std::string> names;
#ifdef MXNET_ONEDNN
  names.push_back("MKLDNN");
#endif
#ifdef __x86_64__
  names.insert(names.end(), {"SSE", "CPU_SSE", "CPU_SSE2", "CPU_SSE3"});
  if (isa_level() >= 2) names.insert(names.end(), {"CPU_SSE4_1", "CPU_SSE4_2"});
  if (isa_level() >= 3) names.insert(names.end(), {"CPU_AVX", "CPU_AVX2"});
#endif
#ifndef NDEBUG
  names.push_back("DEBUG");
#endif
  return names;
}

Context context(int type, int id) { return {static_cast<DeviceType>(type), id}; }

}  // namespace

void init_runtime(py::module_& m) {
  Engine::set_blocking_hooks({before_blocking, after_blocking});
  set_location_hook(python_location);

  m.def("waitall", [] { Engine::get().wait_all(); });
  m.def("engine_type", [] { return Engine::get().type(); });
  m.def("set_bulk_size", [](int size) { return Engine::get().set_bulk_size(size); });
  m.def("shutdown", [] { Engine::get().shutdown(); });
  m.def("num_gpus", [] { return gpu_count(); });
  m.def("gpu_memory_info", [](int device) {
    check_gpu(device);
    GpuMemory memory = gpu_library()->memory(device);
    return py::make_tuple(memory.free, memory.total);
  });
  m.def("cuda_compute_capability", [](int device) {
    check_gpu(device);
    return gpu_library()->compute_capability(device);
  });
  m.def("isa_level", [] { return isa_level(); });
  m.def("build_features", build_features);
  m.def("compute_threads", [] { return compute_threads(); });
  m.def("limit_compute_threads", [](int threads) { limit_compute_threads(threads); });

  m.def("seed", [](int64_t seed, int ctx_type, int ctx_id) {
    if (ctx_type < 0)
      seed_random(static_cast<uint64_t>(seed));
    else
      seed_random(static_cast<uint64_t>(seed), context(ctx_type, ctx_id));
  });

  m.def("random_state", [] {
    RandomSnapshot snapshot = random_snapshot();
    py::list contexts;
    for (const auto& [ctx, state] : snapshot.contexts)
      contexts.append(py::make_tuple(static_cast<int>(ctx.type), ctx.id, state.key, state.offset));
    return py::make_tuple(snapshot.seed, contexts);
  });
  m.def("set_random_state", [](uint64_t seed, const std::vector<std::tuple<int, int, uint64_t, uint64_t>>& contexts) {
    RandomSnapshot snapshot{seed, {}};
    for (const auto& [type, id, key, offset] : contexts)
      snapshot.contexts.emplace_back(context(type, id), RandomState{key, offset});
    restore_random(snapshot);
  });

  m.def("storage_stats", [](int type, int id) {
    MemoryStats s = storage::stats(context(type, id));
    py::dict stats;
    stats["in_use"] = s.in_use;
    stats["cached"] = s.cached;
    stats["peak"] = s.peak;
    stats["limit"] = s.limit;
    stats["allocations"] = s.allocations;
    stats["system_allocations"] = s.system_allocations;
    return stats;
  });
  m.def("reset_peak_memory", [](int type, int id) { storage::reset_peak(context(type, id)); });
  m.def("set_memory_limit", [](int type, int id, int64_t bytes) { storage::set_limit(context(type, id), bytes); });
  m.def("empty_cache", [](int type, int id) { storage::empty_cache(context(type, id)); });
  py::module_::import("atexit").attr("register")(m.attr("shutdown"));
}

}  // namespace mxnet::python
