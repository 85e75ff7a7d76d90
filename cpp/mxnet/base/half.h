// float16 and bfloat16 as storage types: conversion to and from float, rounding to nearest even.
// Arithmetic is done in float by the kernels.
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>

#ifdef __CUDACC__
#define MX_HD __host__ __device__
#else
#define MX_HD
#endif

namespace mxnet {

namespace detail {
template <class To, class From>
MX_HD inline To bit_cast(From from) {
  static_assert(sizeof(To) == sizeof(From));
  union {
    From from;
    To to;
  } pun{from};
  return pun.to;
}
}  // namespace detail

struct BFloat16 {
  uint16_t bits = 0;

  BFloat16() = default;
  MX_HD explicit BFloat16(float value) {
    uint32_t word = detail::bit_cast<uint32_t>(value);
    uint32_t rounded = (word + 0x7fff + ((word >> 16) & 1)) >> 16;
    bool nan = (word & 0x7fffffff) > 0x7f800000;
    bits = static_cast<uint16_t>(nan ? (word >> 16) | 0x40 : rounded);
  }
  template <class T>
  MX_HD explicit BFloat16(T value) : BFloat16(static_cast<float>(value)) {}
  MX_HD operator float() const { return detail::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }
};

struct Float16 {
  uint16_t bits = 0;

  Float16() = default;
  MX_HD explicit Float16(float value) : bits(from_float(value)) {}
  template <class T>
  MX_HD explicit Float16(T value) : Float16(static_cast<float>(value)) {}
  MX_HD operator float() const { return to_float(bits); }

 private:
#if defined(__FLT16_MANT_DIG__) && !defined(__CUDACC__)
  // The compiler's own half type: one instruction where the CPU has F16C, a library call elsewhere.
  static uint16_t from_float(float value) { return detail::bit_cast<uint16_t>(static_cast<_Float16>(value)); }
  static float to_float(uint16_t bits) { return static_cast<float>(detail::bit_cast<_Float16>(bits)); }
#else
  // Portable form: scale through float arithmetic so that subnormals round as the hardware does.
  MX_HD static uint16_t from_float(float value) {
    uint32_t word = detail::bit_cast<uint32_t>(value);
    uint32_t sign = (word >> 16) & 0x8000, magnitude = word & 0x7fffffff;
    if (magnitude > 0x7f800000) return static_cast<uint16_t>(sign | 0x7e00);
    if (magnitude >= 0x477ff000) return static_cast<uint16_t>(sign | 0x7c00);
    if (magnitude < 0x38800000) {  // subnormal half: adding 0.5 aligns the mantissa and rounds it
      float aligned = detail::bit_cast<float>(magnitude) + 0.5f;
      return static_cast<uint16_t>(sign | (detail::bit_cast<uint32_t>(aligned) - 0x3f000000));
    }
    uint32_t rounded = magnitude + 0xfff + ((magnitude >> 13) & 1) - 0x38000000;
    return static_cast<uint16_t>(sign | (rounded >> 13));
  }
  MX_HD static float to_float(uint16_t bits) {
    uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16, magnitude = bits & 0x7fff;
    if (magnitude >= 0x7c00) return detail::bit_cast<float>(sign | 0x7f800000 | ((magnitude & 0x3ff) << 13));
    float value = detail::bit_cast<float>(magnitude << 13) * 5.192296858534828e+33f;  // 2^112
    return detail::bit_cast<float>(sign | detail::bit_cast<uint32_t>(value));
  }
#endif
};

}  // namespace mxnet
