// Not run on hardware.
#include "mxnet/ops/indices.cuh"

#include <cub/device/device_radix_sort.cuh>

namespace mxnet::cuda {

namespace {

void convert(const KernelContext& c, const TensorView& in, int64_t* to) {
  AnyArray from(in);
  bool floating = is_floating(in.dtype);
  each(c, in.size(), [=] __device__(int64_t i) {
    if (!floating) {
      to[i] = from.load<int64_t>(i);
      return;
    }
    double x = from.load<double>(i);
    to[i] = x != x ? 0 : static_cast<int64_t>(x > 9e18 ? 9e18 : x < -9e18 ? -9e18 : x);
  });
}

void number_keys(const KernelContext& c, const int64_t* index, int64_t count, uint64_t* keys, int64_t* places) {
  each(c, count, [=] __device__(int64_t i) {
    keys[i] = static_cast<uint64_t>(index[i]);
    places[i] = i;
  });
}

}  // namespace

Indices::Indices(const KernelContext& c, const TensorView& in, Mode mode, int64_t extent, int axis)
    : memory_(c, std::max<int64_t>(in.size(), 1) * 8) {
  convert(c, in, data());
  bring_into(c, 0, in.size(), mode, extent, axis);
}

void Indices::bring_into(const KernelContext& c, int64_t begin, int64_t count, Mode mode, int64_t extent, int axis) {
  if (mode == any || count == 0) return;
  int64_t* index = data() + begin;
  if (extent == 0) fail(ErrorKind::index, c.op.name, ": axis ", axis, " is empty, nothing can be taken from it");
  if (mode == clip) {
    each(c, count, [=] __device__(int64_t i) {
      int64_t k = index[i];
      index[i] = k < 0 ? 0 : k < extent ? k : extent - 1;
    });
    return;
  }
  if (mode == wrap) {
    each(c, count, [=] __device__(int64_t i) { index[i] = (index[i] % extent + extent) % extent; });
    return;
  }
  // The first place found to be wrong, counted from 1.
  Scratch flag(c, 8);
  fill_zero(c, flag.data(), 8);
  int64_t* wrong = flag.as<int64_t>();
  bool from_end = mode == check_from_end;
  each(c, count, [=] __device__(int64_t i) {
    int64_t k = index[i] + (from_end && index[i] < 0 ? extent : 0);
    if (k < 0 || k >= extent)
      *wrong = i + 1;
    else
      index[i] = k;
  });
  if (int64_t place = read_back(c, wrong))
    fail(ErrorKind::index, c.op.name, ": index ", read_back(c, index + place - 1), " is out of bounds for axis ", axis,
         " with size ", extent);
}

ByRow::ByRow(const KernelContext& c, const int64_t* index, int64_t count)
    : count_(count), memory_(c, std::max<int64_t>(count, 1) * 32) {
  uint64_t* keys = memory_.as<uint64_t>();
  int64_t* places = memory_.as<int64_t>() + 2 * count;
  number_keys(c, index, count, keys, places);
  sort_pairs(c, count, 64, keys, keys + count, places, places + count);
}

Scratch uploaded(const KernelContext& c, const std::vector<int64_t>& list) {
  size_t bytes = list.size() * sizeof(int64_t);
  Scratch memory(c, std::max<int64_t>(static_cast<int64_t>(bytes), 1));
  // From pageable memory the call returns when the list has been read.
  check(cudaMemcpyAsync(memory.data(), list.data(), bytes, cudaMemcpyHostToDevice, stream_of(c)), "cudaMemcpyAsync");
  return memory;
}

void sort_pairs(const KernelContext& c, int64_t count, int bits, const uint64_t* keys, uint64_t* sorted_keys,
                const int64_t* values, int64_t* sorted_values) {
  if (count == 0) return;
  size_t bytes = 0;
  auto sort = [&](void* working) {
    check(cub::DeviceRadixSort::SortPairs(working, bytes, keys, sorted_keys, values, sorted_values, count, 0, bits,
                                          stream_of(c)),
          "SortPairs");
  };
  sort(nullptr);
  sort(Scratch(c, static_cast<int64_t>(bytes)).data());
}

}  // namespace mxnet::cuda
