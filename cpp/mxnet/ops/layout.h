// The order of the axes of images: batch, channels, and one to three spatial axes.
#pragma once
#include <array>
#include <string_view>
#include <utility>

namespace mxnet {

enum class Layout { ncw, nchw, ncdhw, nwc, nhwc, ndhwc };
constexpr std::array<std::pair<Layout, std::string_view>, 6> names_of(Layout) {
  return {{{Layout::ncw, "NCW"},
           {Layout::nchw, "NCHW"},
           {Layout::ncdhw, "NCDHW"},
           {Layout::nwc, "NWC"},
           {Layout::nhwc, "NHWC"},
           {Layout::ndhwc, "NDHWC"}}};
}
// Number of spatial axes a layout is for, and whether its channels come last.
inline int spatial_of(Layout layout) { return static_cast<int>(layout) % 3 + 1; }
inline bool channels_last(Layout layout) { return layout >= Layout::nwc; }

}  // namespace mxnet
