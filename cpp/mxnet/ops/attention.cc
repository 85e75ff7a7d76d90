// Attention with several heads whose queries, keys and values are interleaved: an array (time, batch, heads * parts *
// size) holds for each head its parts side by side. All products read the parts where they lie. There are two kinds,
// each the gradient of the other: scores of all pairs of steps, and mixtures of steps by scores.
#include <cmath>

#include "mxnet/op/expr.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/attention.h"
#include "mxnet/ops/join.h"

namespace mxnet {
namespace {

struct HeadsParams {
  int64_t heads = 0;
  static constexpr auto fields() {
    return std::tuple{field("heads", &HeadsParams::heads, "Number of heads.").required()};
  }
};

// Size of one part of one head.
int64_t head_size(InferContext& c, int i, int64_t heads, int parts) {
  const Shape& s = c.shape(i);
  if (heads < 1) c.fail("heads is ", heads, ", must be at least 1");
  if (s[2] % (heads * parts) != 0)
    c.fail(c.input_name(i), " has shape ", s, ", its last axis cannot be split into ", parts, " parts for each of ",
           heads, " heads");
  return s[2] / (heads * parts);
}

void check_part(InferContext& c, int part, int parts) {
  if (part < 0 || part >= parts) c.fail("part ", part, " is out of range for ", parts, " parts");
}

void infer_scores(InferContext& c, int64_t heads, int lhs_parts, int rhs, int rhs_parts) {
  c.out(0).dtype = c.same_dtype();
  c.expect_rank(0, 3);
  c.expect_rank(rhs, 3);
  const Shape &a = c.shape(0), &b = c.shape(rhs);
  if (!a.known() || !b.known()) return;
  int64_t size = head_size(c, 0, heads, lhs_parts);
  c.expect_shape(rhs, {kUnknown, a[1], heads * rhs_parts * size});
  c.out(0).shape = {a[1] * heads, a[0], b[0]};
}

void infer_mix(InferContext& c, int scores, int steps, int64_t heads, int parts, bool transpose) {
  c.out(0).dtype = c.same_dtype();
  c.expect_rank(scores, 3);
  c.expect_rank(steps, 3);
  const Shape &s = c.shape(scores), &v = c.shape(steps);
  if (!s.known() || !v.known()) return;
  int64_t size = head_size(c, steps, heads, parts);
  Shape wanted{v[1] * heads, kUnknown, kUnknown};
  wanted[transpose ? 1 : 2] = v[0];
  c.expect_shape(scores, wanted);
  c.out(0).shape = {s[transpose ? 2 : 1], v[1], heads * size};
}

void scores_cpu(const ScoresParams& p, KernelContext& c) { gemm(c.out(0).dtype, scores_product(p, c)); }
void mix_cpu(const MixParams& p, KernelContext& c) { gemm(c.out(0).dtype, mix_product(p, c)); }

const OpRef scores_ref("_head_scores"), mix_ref("_head_mix");

Expr scores_of(const Expr& lhs, const Expr& rhs, ScoresParams p) {
  return scores_ref.with({lhs, rhs}, make_params(p))[0];
}
Expr mix_of(const Expr& scores, const Expr& steps, MixParams p) {
  return mix_ref.with({scores, steps}, make_params(p))[0];
}

// The gradients of single parts side by side, zeros for those that are missing, as an array like x.
Expr interleaved(const std::vector<Expr>& parts, int64_t heads, const Expr& x) {
  static const OpRef concat("Concat");
  const Shape& s = x.shape();
  int count = static_cast<int>(parts.size());
  if (count == 1) return parts[0];
  Shape one{s[0], s[1], heads, s[2] / heads / count};
  std::vector<Expr> all;
  for (const Expr& part : parts) all.push_back(part.defined() ? reshape(part, one) : zeros(one, x.dtype(), x.ctx()));
  return reshape(concat.with(all, make_params(ConcatParams{count, 3}))[0], s);
}

void scores_gradient(const ScoresParams& p, GradContext& g) {
  bool both = !g.has(1);  // one array has both parts
  const Expr &lhs = g.in(0), &rhs = both ? lhs : g.in(1);
  std::vector<Expr> dl(static_cast<size_t>(p.lhs_parts)), dr(static_cast<size_t>(p.rhs_parts));
  if (g.needs(0))
    dl[static_cast<size_t>(p.lhs_part)] = mix_of(g.dout(0), rhs, {p.heads, p.rhs_part, p.rhs_parts, false, p.scale});
  if (g.needs(both ? 0 : 1)) {
    Expr& d = (both ? dl : dr)[static_cast<size_t>(p.rhs_part)];
    Expr more = mix_of(g.dout(0), lhs, {p.heads, p.lhs_part, p.lhs_parts, true, p.scale});
    d = d.defined() ? d + more : more;
  }
  if (g.needs(0)) g.din(0) = interleaved(dl, p.heads, lhs);
  if (g.needs(1)) g.din(1) = interleaved(dr, p.heads, rhs);
}

void mix_gradient(const MixParams& p, GradContext& g) {
  const Expr& steps = g.in(1);
  if (g.needs(0))
    g.din(0) = p.transpose ? scores_of(steps, g.dout(0), {p.heads, p.part, p.parts, 0, 1, p.scale})
                           : scores_of(g.dout(0), steps, {p.heads, 0, 1, p.part, p.parts, p.scale});
  if (!g.needs(1)) return;
  std::vector<Expr> d(static_cast<size_t>(p.parts));
  d[static_cast<size_t>(p.part)] = mix_of(g.in(0), g.dout(0), {p.heads, 0, 1, !p.transpose, p.scale});
  g.din(1) = interleaved(d, p.heads, steps);
}

const Op& scores_op =
    define_op<ScoresParams>("_head_scores")
        .doc("scale A_h B_h^T for each head h, (batch * heads, time, time) from parts of (time, batch, heads * size).")
        .input("lhs", "Array (time, batch, heads * lhs_parts * size).")
        .optional_input("rhs", "Array (time, batch, heads * rhs_parts * size); left out, the first one.")
        .infer([](const ScoresParams& p, InferContext& c) {
          check_part(c, p.lhs_part, p.lhs_parts);
          check_part(c, p.rhs_part, p.rhs_parts);
          infer_scores(c, p.heads, p.lhs_parts, c.has(1) ? 1 : 0, p.rhs_parts);
        })
        .cpu(scores_cpu)
        .gradient(scores_gradient)
        .grad_uses(true, false)
        .heavy();

const Op& mix_op = define_op<MixParams>("_head_mix")
                       .doc(
                           "scale S_h V_h (or the transpose of S_h) for each head h, (time, batch, heads * size) from "
                           "scores (batch * heads, time, time) and one part of `steps`.")
                       .input("scores", "Array (batch * heads, time, time).")
                       .input("steps", "Array (time, batch, heads * parts * size).")
                       .infer([](const MixParams& p, InferContext& c) {
                         check_part(c, p.part, p.parts);
                         infer_mix(c, 0, 1, p.heads, p.parts, p.transpose);
                       })
                       .cpu(mix_cpu)
                       .gradient(mix_gradient)
                       .grad_uses(true, false)
                       .heavy();

double query_scale(const Expr& x, int64_t heads, int parts) {
  return 1 / std::sqrt(std::max(1.0, static_cast<double>(x.shape()[2] / (heads * parts))));
}

const Op& selfatt_qk = define_op<HeadsParams>("_contrib_interleaved_matmul_selfatt_qk")
                           .doc(
                               "Scores Q K^T / sqrt(size) of self-attention, (batch * heads, time, time), for each "
                               "head from its query, key and value of each step, which lie side by side.")
                           .input("queries_keys_values", "Array (time, batch, heads * 3 * size).")
                           .infer([](const HeadsParams& p, InferContext& c) { infer_scores(c, p.heads, 3, 0, 3); })
                           .compose([](const HeadsParams& p, std::span<const Expr> in) -> std::vector<Expr> {
                             ScoresParams q{p.heads, 0, 3, 1, 3, query_scale(in[0], p.heads, 3)};
                             return {scores_ref.with({in[0]}, make_params(q))[0]};
                           });

const Op& selfatt_valatt =
    define_op<HeadsParams>("_contrib_interleaved_matmul_selfatt_valatt")
        .doc("Values of self-attention mixed by its weights: (time, batch, heads * size).")
        .input("queries_keys_values", "Array (time, batch, heads * 3 * size).")
        .input("attention", "Weights (batch * heads, time, time).")
        .infer([](const HeadsParams& p, InferContext& c) { infer_mix(c, 1, 0, p.heads, 3, false); })
        .compose([](const HeadsParams& p, std::span<const Expr> in) -> std::vector<Expr> {
          return {mix_of(in[1], in[0], {p.heads, 2, 3, false, 1})};
        });

const Op& encdec_qk = define_op<HeadsParams>("_contrib_interleaved_matmul_encdec_qk")
                          .doc(
                              "Scores Q K^T / sqrt(size) of attention from one sequence to another, (batch * heads, "
                              "query time, key time), for each head from its query and its key and value side by side.")
                          .input("queries", "Array (query time, batch, heads * size).")
                          .input("keys_values", "Array (key time, batch, heads * 2 * size).")
                          .infer([](const HeadsParams& p, InferContext& c) { infer_scores(c, p.heads, 1, 1, 2); })
                          .compose([](const HeadsParams& p, std::span<const Expr> in) -> std::vector<Expr> {
                            return {scores_of(in[0], in[1], {p.heads, 0, 1, 0, 2, query_scale(in[0], p.heads, 1)})};
                          });

const Op& encdec_valatt =
    define_op<HeadsParams>("_contrib_interleaved_matmul_encdec_valatt")
        .doc(
            "Values of attention from one sequence to another mixed by its weights: (query time, batch, heads * size).")
        .input("keys_values", "Array (key time, batch, heads * 2 * size).")
        .input("attention", "Weights (batch * heads, query time, key time).")
        .infer([](const HeadsParams& p, InferContext& c) { infer_mix(c, 1, 0, p.heads, 2, false); })
        .compose([](const HeadsParams& p, std::span<const Expr> in) -> std::vector<Expr> {
          return {mix_of(in[1], in[0], {p.heads, 1, 2, false, 1})};
        });

}  // namespace
}  // namespace mxnet
