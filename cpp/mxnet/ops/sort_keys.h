// Keys of elements: unsigned numbers in their order, NaN last. The same on every device.
#pragma once
#include <cstdint>
#include <type_traits>

#include "mxnet/base/half.h"

namespace mxnet {

template <int bytes>
struct UnsignedOf;
template <>
struct UnsignedOf<1> {
  using type = uint8_t;
};
template <>
struct UnsignedOf<2> {
  using type = uint16_t;
};
template <>
struct UnsignedOf<4> {
  using type = uint32_t;
};
template <>
struct UnsignedOf<8> {
  using type = uint64_t;
};

template <class T>
using key_t = typename UnsignedOf<sizeof(T)>::type;

template <class T>
inline constexpr key_t<T> kSign = static_cast<key_t<T>>(key_t<T>{1} << (8 * sizeof(T) - 1));

// The bits of infinity: greater magnitudes are NaN.
template <class T>
inline constexpr key_t<T> kInfinity = 0;
template <>
inline constexpr uint32_t kInfinity<float> = 0x7f800000;
template <>
inline constexpr uint64_t kInfinity<double> = 0x7ff0000000000000;
template <>
inline constexpr uint16_t kInfinity<Float16> = 0x7c00;
template <>
inline constexpr uint16_t kInfinity<BFloat16> = 0x7f80;

// `flip` is all ones for descending order. With `same_zeros` -0 has the key of 0.
template <class T>
MX_HD inline key_t<T> key_of(T x, key_t<T> flip, bool same_zeros) {
  using U = key_t<T>;
  U u = detail::bit_cast<U>(x);
  if constexpr (kInfinity<T> != 0) {
    U magnitude = static_cast<U>(u & ~kSign<T>);
    u = magnitude > kInfinity<T> ? magnitude : u;
    u = same_zeros && magnitude == 0 ? U{0} : u;
    u = static_cast<U>(u & kSign<T> ? ~u : u | kSign<T>);
  } else if constexpr (std::is_signed_v<T>) {
    u = static_cast<U>(u ^ kSign<T>);
  }
  return static_cast<U>(u ^ flip);
}

template <class T>
MX_HD inline T from_key(key_t<T> u, key_t<T> flip) {
  using U = key_t<T>;
  u = static_cast<U>(u ^ flip);
  if constexpr (kInfinity<T> != 0)
    u = static_cast<U>(u & kSign<T> ? u & ~kSign<T> : ~u);
  else if constexpr (std::is_signed_v<T>)
    u = static_cast<U>(u ^ kSign<T>);
  return detail::bit_cast<T>(u);
}

}  // namespace mxnet
