// The registry: operators and kernels register themselves; they are joined by name at first lookup.
#pragma once
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "mxnet/op/op.h"

namespace mxnet {

class Registry {
 public:
  static Registry& get();

  Op& add(std::string name);
  // `level` is the instruction-set level a CPU kernel was compiled for; the best one the CPU has wins.
  void add_kernel(std::string op, DeviceType device, int level, Kernel kernel);

  const Op* find(std::string_view name);  // by name or alias; null if there is none
  const Op& at(std::string_view name);    // raises "operator 'x' is not registered"
  const std::deque<Op>& all();
  // Every name an operator answers to, sorted.
  const std::map<std::string, const Op*, std::less<>>& names();

 private:
  struct PendingKernel {
    DeviceType device;
    int level;
    Kernel kernel;
  };
  void join();

  std::recursive_mutex mutex_;
  std::deque<Op> ops_;
  std::unordered_map<std::string, Op*> by_name_;
  std::map<std::string, const Op*, std::less<>> names_;
  std::multimap<std::string, PendingKernel> pending_;
  bool joined_ = false;
};

template <class P = NoParams>
OpBuilder<P> define_op(const char* name) {
  return OpBuilder<P>(Registry::get().add(name));
}

#ifndef MXNET_ISA_LEVEL
#define MXNET_ISA_LEVEL 0
#endif

// `static const bool softmax_kernel = cpu_kernel<SoftmaxParams>("softmax", softmax_cpu);`
template <class P, class F>
bool cpu_kernel(const char* op, F f) {
  Registry::get().add_kernel(op, DeviceType::cpu, MXNET_ISA_LEVEL,
                             [f](const void* p, KernelContext& c) { f(*static_cast<const P*>(p), c); });
  return true;
}
template <class P, class F>
bool gpu_kernel(const char* op, F f) {
  Registry::get().add_kernel(op, DeviceType::gpu, 0,
                             [f](const void* p, KernelContext& c) { f(*static_cast<const P*>(p), c); });
  return true;
}

template <class P>
template <class F>
OpBuilder<P>& OpBuilder<P>::cpu(F f) {
  cpu_kernel<P>(op_.name.c_str(), f);
  return *this;
}

}  // namespace mxnet
