#include "mxnet/device/context.h"

namespace mxnet {

std::string_view name_of(DeviceType type) {
  switch (type) {
    case DeviceType::cpu: return "cpu";
    case DeviceType::gpu: return "gpu";
    case DeviceType::cpu_pinned: return "cpu_pinned";
    case DeviceType::cpu_shared: return "cpu_shared";
  }
  return "unknown";
}

std::ostream& operator<<(std::ostream& out, Context ctx) { return out << name_of(ctx.type) << '(' << ctx.id << ')'; }

}  // namespace mxnet
