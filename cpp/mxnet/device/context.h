// Context: where an array lives. A plain value; the numbers are those of MXNet's file formats.
#pragma once
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

namespace mxnet {

enum class DeviceType : int32_t { cpu = 1, gpu = 2, cpu_pinned = 3, cpu_shared = 5 };

struct Context {
  DeviceType type = DeviceType::cpu;
  int32_t id = 0;

  static Context cpu(int32_t id = 0) { return {DeviceType::cpu, id}; }
  static Context gpu(int32_t id = 0) { return {DeviceType::gpu, id}; }
  // True where the host can read and write the memory.
  bool on_host() const { return type != DeviceType::gpu; }
  bool operator==(const Context&) const = default;
};

std::string_view name_of(DeviceType type);                 // "cpu"
std::ostream& operator<<(std::ostream& out, Context ctx);  // "cpu(0)"

}  // namespace mxnet
