#include "mxnet/ops/sort.h"

#include "mxnet/ops/indexing.h"
#include "mxnet/ops/no_gradient.h"

namespace mxnet {
namespace {

// Raises if indices along an axis of `extent` are no whole numbers of the type.
void check_places(const InferContext& c, DType dtype, int64_t extent) {
  int64_t most = INT64_MAX;
  if (dtype == DType::uint8) most = 1 << 8;
  if (dtype == DType::int8) most = 1 << 7;
  if (dtype == DType::float16) most = 1 << 11;
  if (dtype == DType::bfloat16) most = 1 << 8;
  if (dtype == DType::float32) most = 1 << 24;
  if (dtype == DType::int32) most = int64_t{1} << 31;
  if (extent > most)
    c.fail("dtype ", dtype, " cannot hold indices along an axis of extent ", extent, "; use int32 or int64");
}

// The shape that is sorted, and along which of its axes.
Shape sorted_shape(const char* op, std::optional<int> axis, const Shape& shape, int& place) {
  if (!axis) {
    place = 0;
    return Shape{shape.known() ? shape.size() : kUnknown};
  }
  place = normal_axis(op, *axis, shape);
  return shape;
}

int64_t count_of(const TopkParams& p, int64_t extent) { return p.k == 0 ? extent : p.k; }

void infer_topk(const TopkParams& p, InferContext& c) {
  bool places_only = p.ret_typ == TopkResult::indices;
  c.out(0).dtype = places_only ? p.dtype : c.in(0).dtype;
  if (p.ret_typ == TopkResult::both) c.out(1).dtype = p.dtype;
  const Shape& data = c.shape(0);
  if (!data.rank_known()) return;
  int axis = 0;
  Shape shape = sorted_shape("topk", p.axis, data, axis);
  int64_t extent = shape[axis], k = count_of(p, extent);
  if (extent >= 0 && (k < 0 || k > extent))
    c.fail("k is ", p.k, ", expected 0 to ", extent, " for axis ", axis, " of shape ", shape);
  if (places_only || p.ret_typ == TopkResult::both) check_places(c, p.dtype, extent);
  shape[axis] = k;
  c.out(0).shape = p.ret_typ == TopkResult::mask ? data : shape;
  if (p.ret_typ == TopkResult::both) c.out(1).shape = shape;
}

// Gradients of chosen elements back at their places.
Expr put_back(const Expr& dout, const Expr& places, std::optional<int> axis, const Shape& shape) {
  static const OpRef add("_add_along_axis");
  int place = 0;
  Shape whole = sorted_shape("sort", axis, shape, place);
  return reshape(add.with({dout, places}, make_params(AlongBackwardParams{place, whole}))[0], shape);
}

void topk_gradient(const TopkParams& p, GradContext& g) {
  static const OpRef topk("topk");
  if (p.ret_typ == TopkResult::indices || p.ret_typ == TopkResult::mask || !g.has_dout(0)) return;
  Expr places =
      p.ret_typ == TopkResult::both
          ? g.out(1)
          : topk.with({g.in(0)},
                      make_params(TopkParams{p.axis, p.k, TopkResult::indices, p.is_ascend, DType::int64}))[0];
  g.din(0) = put_back(g.dout(0), places, p.axis, g.in(0).shape());
}

const Op& topk_op =
    define_op<TopkParams>("topk")
        .doc(
            "The k largest (or smallest) elements along an axis in order, equal ones by their index, NaN above all "
            "numbers: the elements, their indices, or a mask.")
        .alias({"_npx_topk"})
        .input("data", "Array of one or more dimensions.")
        .outputs_of([](const TopkParams& p, int) { return p.ret_typ == TopkResult::both ? 2 : 1; })
        .output_names([](const TopkParams& p) {
          bool values = p.ret_typ == TopkResult::value || p.ret_typ == TopkResult::both;
          return values ? std::vector<std::string>{"output0", "output1"} : std::vector<std::string>{"output"};
        })
        .infer(infer_topk)
        .gradient(topk_gradient)
        .method();

void infer_sorted(std::optional<int> axis, DType dtype, InferContext& c) {
  c.out(0).dtype = dtype;
  if (!c.shape(0).rank_known()) return;
  int place = 0;
  c.out(0).shape = sorted_shape(c.op().name.c_str(), axis, c.shape(0), place);
}

const Op& sort_op =
    define_op<SortParams>("sort")
        .doc("The elements along an axis in ascending or descending order, NaN above all numbers.")
        .alias({"_npi_sort"})
        .output_names([](const SortParams&) { return std::vector<std::string>{"output0"}; })  // in 1.x the first of two
        .input("data", "Array of one or more dimensions.")
        .infer([](const SortParams& p, InferContext& c) { infer_sorted(p.axis, c.in(0).dtype, c); })
        .gradient([](const SortParams& p, GradContext& g) {
          static const OpRef argsort("argsort");
          Expr places = argsort.with({g.in(0)}, make_params(ArgsortParams{p.axis, p.is_ascend, DType::int64}))[0];
          g.din(0) = put_back(g.dout(0), places, p.axis, g.in(0).shape());
        })
        .grad_uses(true, false)
        .method();

const Op& argsort_op =
    define_op<ArgsortParams>("argsort")
        .doc(
            "The indices that put the elements along an axis in ascending or descending order, equal ones by their "
            "index, NaN above all numbers.")
        .alias({"_npi_argsort"})
        .input("data", "Array of one or more dimensions.")
        .infer([](const ArgsortParams& p, InferContext& c) {
          infer_sorted(p.axis, p.dtype, c);
          if (!c.shape(0).rank_known()) return;
          int place = 0;
          check_places(c, p.dtype, sorted_shape("argsort", p.axis, c.shape(0), place)[place]);
        })
        .gradient(no_gradient)
        .grad_uses(false, false)
        .method();

}  // namespace
}  // namespace mxnet
