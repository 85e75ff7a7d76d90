#include "mxnet/op/registry.h"

#include "mxnet/base/cpu.h"

namespace mxnet {

Registry& Registry::get() {
  static Registry* registry = new Registry();  // outlives every static that registers or looks up
  return *registry;
}

Op& Registry::add(std::string name) {
  std::lock_guard lock(mutex_);
  joined_ = false;
  Op& op = ops_.emplace_back();
  op.name = std::move(name);
  return op;
}

void Registry::add_kernel(std::string op, DeviceType device, int level, Kernel kernel) {
  std::lock_guard lock(mutex_);
  joined_ = false;
  pending_.emplace(std::move(op), PendingKernel{device, level, std::move(kernel)});
}

void Registry::join() {
  auto insert = [this](const std::string& name, Op& op) {
    auto [it, fresh] = by_name_.emplace(name, &op);
    if (!fresh && it->second != &op) fail(ErrorKind::runtime, "operator '", name, "' is defined twice");
    names_.emplace(name, &op);
  };
  for (Op& op : ops_) {
    insert(op.name, op);
    for (const std::string& alias : op.aliases) insert(alias, op);
  }
  std::unordered_map<Op*, int> best;
  for (auto& [name, kernel] : pending_) {
    auto it = by_name_.find(name);
    if (it == by_name_.end()) fail(ErrorKind::runtime, "a kernel is registered for '", name, "', which is no operator");
    if (kernel.device == DeviceType::gpu) {
      it->second->gpu_kernel_ = std::move(kernel.kernel);
    } else if (kernel.level <= isa_level()) {
      auto [level, fresh] = best.try_emplace(it->second, kernel.level);
      if (!fresh && kernel.level <= level->second) continue;
      level->second = kernel.level;
      it->second->cpu_kernel_ = std::move(kernel.kernel);
    }
  }
  pending_.clear();
  joined_ = true;
}

const Op* Registry::find(std::string_view name) {
  std::lock_guard lock(mutex_);
  if (!joined_) join();
  auto it = names_.find(name);
  return it == names_.end() ? nullptr : it->second;
}

const Op& Registry::at(std::string_view name) {
  const Op* op = find(name);
  if (!op) fail(ErrorKind::key, "operator '", name, "' is not registered");
  return *op;
}

const std::deque<Op>& Registry::all() {
  std::lock_guard lock(mutex_);
  if (!joined_) join();
  return ops_;
}

const std::map<std::string, const Op*, std::less<>>& Registry::names() {
  std::lock_guard lock(mutex_);
  if (!joined_) join();
  return names_;
}

}  // namespace mxnet
