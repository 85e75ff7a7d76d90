// Operators that give the same elements another shape.
#include "mxnet/engine/parallel.h"
#include "mxnet/ops/shape.h"

namespace mxnet {
namespace {

// A reshape's shape with its special codes, which print as unknown extents otherwise.
std::string text(const Shape& spec) {
  std::string items;
  for (int64_t item : spec) items += str(items.empty() ? "" : ", ", item);
  return str("(", items, spec.ndim() == 1 ? ",)" : ")");
}

// One item of a reshape: a number that stands for itself or one of the special codes.
struct Token {
  int64_t code;
  int64_t first = 0, second = 0;  // of a split
};

// Backwards, -4 stands behind its two extents.
std::vector<Token> read_tokens(const InferContext& c, const Shape& spec, bool reverse) {
  std::vector<Token> tokens;
  std::vector<int64_t> items(spec.begin(), spec.end());
  if (reverse) std::reverse(items.begin(), items.end());
  for (size_t i = 0; i < items.size(); ++i) {
    Token token{items[i]};
    if (token.code < -4) c.fail("shape ", text(spec), " has the item ", token.code, ", allowed are -4 and above");
    if (token.code == -4) {
      if (i + 2 >= items.size())
        c.fail("shape ", text(spec), ": two extents must ", reverse ? "come before" : "follow", " -4");
      token.first = items[i + 1], token.second = items[i + 2];
      i += 2;
    }
    tokens.push_back(token);
  }
  return tokens;
}

// The two extents that one extent is split into; one of them may be -1.
std::pair<int64_t, int64_t> split_extent(const InferContext& c, Token token, int64_t extent) {
  if (token.first == -1 && token.second == -1) c.fail("-4 is followed by two extents of -1");
  if (extent < 0) return {token.first, token.second};
  int64_t& missing = token.first == -1 ? token.first : token.second;
  int64_t given = token.first == -1 ? token.second : token.first;
  if (missing == -1 && given > 0) missing = extent / given;
  if (token.first * token.second != extent)
    c.fail("the extent ", extent, " cannot be split into ", token.first, " and ", token.second);
  return {token.first, token.second};
}

// Puts the size that is left over into the extent -1 of `result`; raises if the sizes differ.
void settle_size(const InferContext& c, const Shape& data, Shape& result, int inferred) {
  if (!data.known()) return;
  int64_t size = data.size(), others = 1;
  for (int i = 0; i < result.ndim(); ++i)
    if (i != inferred) others *= result[i];
  if (inferred >= 0 && others > 0) result[inferred] = size / others;
  if (inferred >= 0 && others == 0) result[inferred] = 0;
  if (result.size() != size) c.fail("an array of shape ", data, " cannot take the shape ", result);
}

Shape reshaped(const InferContext& c, const Shape& data, const Shape& spec, bool reverse) {
  std::vector<Token> tokens = read_tokens(c, spec, reverse);
  std::vector<int64_t> extents(data.begin(), data.end()), result;
  if (reverse) std::reverse(extents.begin(), extents.end());
  size_t next = 0;
  int inferred = -1;
  auto take = [&] {
    if (next >= extents.size()) c.fail("shape ", text(spec), " takes more axes than the array of shape ", data, " has");
    return extents[next++];
  };
  for (const Token& token : tokens) {
    if (token.code > 0) {
      result.push_back(token.code);
      ++next;
    } else if (token.code == 0) {
      result.push_back(take());
    } else if (token.code == -1) {
      if (inferred >= 0) c.fail("shape ", text(spec), " leaves more than one extent to be worked out");
      inferred = static_cast<int>(result.size());
      result.push_back(-1);
      ++next;
    } else if (token.code == -2) {
      while (next < extents.size()) result.push_back(extents[next++]);
    } else if (token.code == -3) {
      int64_t a = take(), b = take();
      result.push_back(a < 0 || b < 0 ? kUnknown : a * b);
    } else {
      auto [first, second] = split_extent(c, token, take());
      result.push_back(first);
      result.push_back(second);
    }
  }
  if (reverse) {
    std::reverse(result.begin(), result.end());
    if (inferred >= 0) inferred = static_cast<int>(result.size()) - 1 - inferred;
  }
  Shape shape(result);
  settle_size(c, data, shape, inferred);
  return shape;
}

Shape legacy_reshaped(const InferContext& c, const Shape& data, const ReshapeParams& p) {
  Shape shape = p.target_shape;
  int inferred = -1, first = 0;
  if (p.keep_highest) shape[0] = data[0], first = 1;
  for (int i = first; i < shape.ndim(); ++i) {
    if (shape[i] != 0) continue;
    if (inferred >= 0) c.fail("target_shape ", p.target_shape, " leaves more than one extent to be worked out");
    inferred = i;
    shape[i] = -1;
  }
  settle_size(c, data, shape, inferred);
  return shape;
}

void infer_reshape(const ReshapeParams& p, InferContext& c) {
  c.out(0).dtype = c.in(0).dtype;
  const Shape& data = c.shape(0);
  if (!data.rank_known()) return;
  bool legacy = p.shape.ndim() == 0 && p.target_shape.ndim() > 0;
  c.out(0).shape = legacy ? legacy_reshaped(c, data, p) : reshaped(c, data, p.shape, p.reverse);
}

void copy_kernel(KernelContext& c) {
  const TensorView& in = c.in(0);
  if (in.data == c.out(0).data) return;
  int64_t bytes = in.size() * size_of(in.dtype);
  constexpr int64_t kPiece = 1 << 18;
  parallel_for((bytes + kPiece - 1) / kPiece, 2, [&](int64_t begin, int64_t end) {
    int64_t from = begin * kPiece, to = std::min(end * kPiece, bytes);
    std::copy_n(in.as<char>() + from, to - from, c.out(0).as<char>() + from);
  });
}

// What the operators of this file share: the elements stay in order, and so do those of the gradient.
template <class P, class F>
OpBuilder<P> define_reshape(const char* name, const char* doc, F infer, View view = View::on_tape) {
  return define_op<P>(name)
      .doc(doc)
      .infer(infer)
      .cpu([](const P&, KernelContext& c) { copy_kernel(c); })
      .gradient([](const P&, GradContext& g) { g.din(0) = reshape(g.dout(0), g.in(0).shape()); })
      .grad_uses(false, false)
      .inplace()
      .view(view);
}

const Op& reshape_op =
    define_reshape<ReshapeParams>("Reshape",
                                  "The elements of `data` in order under another shape, which may be given by "
                                  "special codes in part.",
                                  infer_reshape)
        .input("data", "Array of any shape.")
        .alias({"reshape"})
        .method();

const Op& reshape_to_op = define_reshape<ShapeParams>(
                              "_reshape_to", "A view of `data` under exactly this shape.",
                              [](const ShapeParams& p, InferContext& c) {
                                c.out(0) = c.in(0).with_shape(p.shape);
                                if (c.shape(0).known() && c.shape(0).size() != p.shape.size())
                                  c.fail("an array of shape ", c.shape(0), " cannot take the shape ", p.shape);
                              },
                              View::always)
                              .input("data", "Array of any shape.");

void infer_flatten(const NoParams&, InferContext& c) {
  c.out(0).dtype = c.in(0).dtype;
  const Shape& data = c.shape(0);
  if (!data.rank_known()) return;
  if (data.ndim() == 0) {
    c.out(0).shape = Shape{1, 1};
    return;
  }
  Shape rest = data.slice(1, data.ndim());
  c.out(0).shape = Shape{data[0], rest.known() ? rest.size() : kUnknown};
}

const Op& flatten_op =
    define_reshape<NoParams>("Flatten", "`data` as a matrix: the first axis, and all others as one.", infer_flatten)
        .input("data", "Array of one or more dimensions.")
        .alias({"flatten", "_npx_batch_flatten"})
        .method();

void infer_expand_dims(const ExpandDimsParams& p, InferContext& c) {
  c.out(0) = c.in(0);
  Shape& shape = c.out(0).shape;
  if (!shape.rank_known()) return;
  int rank = shape.ndim(), axis = p.axis < 0 ? p.axis + rank + 1 : p.axis;
  if (axis < 0 || axis > rank)
    fail(ErrorKind::index, "expand_dims: axis ", p.axis, " is out of range for shape ", c.shape(0));
  shape.insert(axis, 1);
}

const Op& expand_dims_op =
    define_reshape<ExpandDimsParams>("expand_dims", "`data` with an axis of extent 1 put in.", infer_expand_dims)
        .input("data", "Array of any shape.")
        .alias({"_npi_expand_dims"})
        .method();

void infer_squeeze(const SqueezeParams& p, InferContext& c) {
  c.out(0).dtype = c.in(0).dtype;
  const Shape& data = c.shape(0);
  if (!data.rank_known()) return;
  AxisSet set = 0;
  if (p.axis) {
    set = p.axis->ndim() ? axis_set("squeeze", p.axis, data) : 0;
    for (int i = 0; i < data.ndim(); ++i)
      if (contains(set, i) && data[i] != 1 && data[i] >= 0)
        c.fail("axis ", i, " of shape ", data, " has an extent other than 1");
  } else {
    for (int i = 0; i < data.ndim(); ++i) {
      if (data[i] < 0) return;
      if (data[i] == 1) set |= AxisSet{1} << i;
    }
  }
  c.out(0).shape = data.ndim() == 0 ? data : reduced_shape(data, set, false);
}

const Op& squeeze_op =
    define_reshape<SqueezeParams>(
        "squeeze", "`data` without axes of extent 1; where no axis is left the shape is (1,).", infer_squeeze)
        .input("data", "Array of any shape.")
        .method();

// [begin, end) of an axis range with None and negative ends resolved.
std::pair<int, int> axis_range(const InferContext& c, std::optional<int> begin, std::optional<int> end,
                               const Shape& shape) {
  int rank = shape.ndim();
  auto place = [&](int axis) {
    int i = axis < 0 ? axis + rank : axis;
    if (i < 0 || i > rank) fail(ErrorKind::index, c.name(), ": axis ", axis, " is out of range for shape ", shape);
    return i;
  };
  int first = begin ? place(*begin) : 0, last = end ? place(*end) : rank;
  if (first > last) c.fail("the axes ", first, " to ", last, " of shape ", shape, " are no range");
  return {first, last};
}

void infer_reshape_like(const ReshapeLikeParams& p, InferContext& c) {
  c.out(0).dtype = c.in(0).dtype;
  const Shape &lhs = c.shape(0), &rhs = c.shape(1);
  if (!lhs.rank_known() || !rhs.rank_known()) return;
  auto [lb, le] = axis_range(c, p.lhs_begin, p.lhs_end, lhs);
  auto [rb, re] = axis_range(c, p.rhs_begin, p.rhs_end, rhs);
  Shape shape = lhs.slice(0, lb);
  for (int i = rb; i < re; ++i) shape.push_back(rhs[i]);
  for (int i = le; i < lhs.ndim(); ++i) shape.push_back(lhs[i]);
  if (lhs.known() && shape.known() && shape.size() != lhs.size())
    c.fail("an array of shape ", lhs, " cannot take the shape ", shape);
  c.out(0).shape = shape;
}

const Op& reshape_like_op =
    define_reshape<ReshapeLikeParams>("reshape_like",
                                      "The elements of `lhs` in order, a range of its axes replaced by a range "
                                      "of the axes of `rhs`.",
                                      infer_reshape_like)
        .input("lhs", "Array to reshape.")
        .input("rhs", "Array whose shape is taken.")
        .alias({"_npx_reshape_like"})
        .method();

}  // namespace
}  // namespace mxnet
