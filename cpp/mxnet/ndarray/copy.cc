#include "mxnet/ndarray/copy.h"

#include <array>
#include <cstring>

#include "mxnet/base/cpu.h"
#include "mxnet/engine/parallel.h"
#include "mxnet/ndarray/cast.h"
#include "mxnet/ndarray/ndarray.h"

namespace mxnet {
namespace {

// Below this a copy costs less than queueing it.
constexpr int64_t kSmallBytes = 256 << 10;
// Work worth a thread of its own.
constexpr int64_t kGrainBytes = 256 << 10;
constexpr int64_t kGrainElements = 64 << 10;

DeviceCopy device_copy = nullptr;

struct CastEntry {
  CastRange cast = nullptr;
  int level = -1;
};
CastEntry& best_cast() {
  static CastEntry entry;
  return entry;
}

void copy_bytes(const char* from, char* to, int64_t bytes) {
  if (from == to) return;
  bool overlap = from < to + bytes && to < from + bytes;
  if (overlap) {
    std::memmove(to, from, static_cast<size_t>(bytes));
    return;
  }
  parallel_for(bytes, kGrainBytes, [&](int64_t begin, int64_t end) {
    std::memcpy(to + begin, from + begin, static_cast<size_t>(end - begin));
  });
}

void move_across(const void* from, Context from_ctx, void* to, Context to_ctx, int64_t bytes) {
  if (!device_copy)
    fail(ErrorKind::runtime, "copy: from ", from_ctx, " to ", to_ctx, ": the CUDA library is not loaded");
  device_copy(from, from_ctx, to, to_ctx, static_cast<size_t>(bytes));
}

// The work itself, in whatever thread the engine chose.
void run_copy(const NDArray& from, const NDArray& to) {
  bool on_host = from.ctx().on_host() && to.ctx().on_host();
  if (on_host && from.dtype() == to.dtype()) {
    copy_bytes(static_cast<const char*>(from.data()), static_cast<char*>(to.data()), to.bytes());
  } else if (on_host) {
    cast_elements(from.data(), from.dtype(), to.data(), to.dtype(), to.size());
  } else if (from.dtype() == to.dtype()) {
    move_across(from.data(), from.ctx(), to.data(), to.ctx(), to.bytes());
  } else {
    // Across devices and dtypes: the conversion happens on the host side.
    NDArray staged(to.shape(), from.dtype(), Context::cpu()), cast(to.shape(), to.dtype(), Context::cpu());
    move_across(from.data(), from.ctx(), staged.data(), staged.ctx(), staged.bytes());
    cast_elements(staged.data(), staged.dtype(), cast.data(), cast.dtype(), cast.size());
    move_across(cast.data(), cast.ctx(), to.data(), to.ctx(), to.bytes());
  }
}

}  // namespace

void set_device_copy(DeviceCopy copy) { device_copy = copy; }

bool register_cast(int level, CastRange cast) {
  CastEntry& best = best_cast();
  if (level <= isa_level() && level > best.level) best = {cast, level};
  return true;
}

void cast_elements(const void* from, DType from_dtype, void* to, DType to_dtype, int64_t n) {
  const char* source = static_cast<const char*>(from);
  char* target = static_cast<char*>(to);
  if (from_dtype == to_dtype) return copy_bytes(source, target, n * size_of(to_dtype));
  int64_t from_size = size_of(from_dtype), to_size = size_of(to_dtype);
  CastRange cast = best_cast().cast;
  parallel_for(n, kGrainElements, [&](int64_t begin, int64_t end) {
    cast(source + begin * from_size, from_dtype, target + begin * to_size, to_dtype, end - begin);
  });
}

void cast_block(const void* from, DType from_dtype, void* to, DType to_dtype, int64_t n) {
  best_cast().cast(static_cast<const char*>(from), from_dtype, static_cast<char*>(to), to_dtype, n);
}

void copy(const NDArray& from, const NDArray& to) {
  if (!from.defined() || !to.defined()) value_error("copy: one of the arrays does not exist");
  if (from.size() != to.size())
    value_error("copy: an array of shape ", from.shape(), " does not fit into one of shape ", to.shape());
  if (to.size() == 0) return;
  bool one_chunk = from.chunk() == to.chunk();
  if (one_chunk && from.data() == to.data() && from.dtype() == to.dtype()) return;
  if (one_chunk && from.dtype() != to.dtype()) {
    // Views of one block under two types: go through an array of its own.
    NDArray staged(to.shape(), to.dtype(), to.ctx());
    copy(from, staged);
    copy(staged, to);
    return;
  }
  Engine& engine = Engine::get();
  std::array<Var*, 1> reads{&from.var()}, writes{&to.var()};
  std::span<Var* const> read_span = one_chunk ? std::span<Var* const>() : std::span<Var* const>(reads);
  bool on_host = from.ctx().on_host() && to.ctx().on_host();
  int64_t bytes = std::max(from.bytes(), to.bytes());
  if (on_host && bytes <= kSmallBytes && engine.try_run([&] { run_copy(from, to); }, read_span, writes)) return;
  // Host copies are memory-bound and want the team; transfers leave the compute lane free.
  Schedule schedule{"copy", to.ctx(), on_host ? Lane::compute : Lane::copy, 0, bytes};
  engine.push([from = from.detached(), to = to.detached()] { run_copy(from, to); }, read_span, writes, schedule);
}

void copy_from_host(const void* data, size_t bytes, const NDArray& to) {
  if (static_cast<int64_t>(bytes) != to.bytes())
    value_error("copy_from_host: got ", bytes, " bytes for an array of ", to.bytes());
  if (bytes == 0) return;
  to.wait_to_write();
  Engine& engine = Engine::get();
  std::array<Var*, 1> writes{&to.var()};
  auto task = [&] {
    if (to.ctx().on_host())
      std::memcpy(to.data(), data, bytes);
    else
      move_across(data, Context::cpu(), to.data(), to.ctx(), to.bytes());
  };
  if (engine.try_run(task, {}, writes)) return;
  engine.push(task, {}, writes, {"copy_from_host", to.ctx(), Lane::copy, 0, 0});
  to.wait_to_read();
}

namespace {
void (*read_hook)(const NDArray&) = nullptr;
}
void set_read_hook(void (*hook)(const NDArray&)) { read_hook = hook; }

void copy_to_host(const NDArray& from, void* data, size_t bytes) {
  if (read_hook) read_hook(from);
  if (static_cast<int64_t>(bytes) != from.bytes())
    value_error("copy_to_host: got ", bytes, " bytes for an array of ", from.bytes());
  from.wait_to_read();
  if (bytes == 0) return;
  if (from.ctx().on_host())
    std::memcpy(data, from.data(), bytes);
  else
    move_across(from.data(), from.ctx(), data, Context::cpu(), from.bytes());
}

}  // namespace mxnet
