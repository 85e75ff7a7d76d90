// The rules by which optimizers change a weight: parameters, and one functor each that works on numbers.
//
// A rule is built from its parameters in the type V it computes in; called with weight, gradient and states it
// changes weight and states. The .cc makes operators from the rules, the .kernel.cc (and a .cu) the loops.
#pragma once
#include <array>
#include <cmath>
#include <limits>
#include <tuple>
#include <vector>

#include "mxnet/base/math.h"
#include "mxnet/op/params.h"

namespace mxnet {

// All hyperparameters there are; an operator lists those it has.
struct UpdateHyper {
  double lr = 0, momentum = 0, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, gamma1 = 0.95, gamma2 = 0.9;
  double wd = 0, rescale_grad = 1, clip_gradient = -1, clip_weights = -1, lamda1 = 0.01, beta = 1, eta = 0, wd_lh = 0;
  double lower_bound = -1, upper_bound = -1;
  int64_t t = 1;
  bool lazy_update = true, bias_correction = true;
  // True for a rule whose result is a direction: the weight itself stays.
  static constexpr bool gives_direction = false;
};

namespace hyper {

template <class P>
constexpr auto lr_field = field<P, double>("lr", &P::lr, "Learning rate.").required();
template <class P>
constexpr auto momentum_field = field<P, double>("momentum", &P::momentum, "Decay of the momentum.");
template <class P>
constexpr auto beta1_field = field<P, double>("beta1", &P::beta1, "Decay of the first moment.");
template <class P>
constexpr auto beta2_field = field<P, double>("beta2", &P::beta2, "Decay of the second moment.");
template <class P>
constexpr auto epsilon_field = field<P, double>("epsilon", &P::epsilon, "Keeps the denominator away from zero.");
template <class P>
constexpr auto gamma1_field = field<P, double>("gamma1", &P::gamma1, "Decay of the mean square.");
template <class P>
constexpr auto gamma2_field = field<P, double>("gamma2", &P::gamma2, "Decay of the step.");
template <class P>
constexpr auto wd_field = field<P, double>("wd", &P::wd, "Weight decay.");
template <class P>
constexpr auto rescale_grad_field = field<P, double>("rescale_grad", &P::rescale_grad, "Factor of the gradient.");
template <class P>
constexpr auto clip_gradient_field =
    field<P, double>("clip_gradient", &P::clip_gradient, "Bound on the scaled gradient; negative for none.");
template <class P>
constexpr auto clip_weights_field =
    field<P, double>("clip_weights", &P::clip_weights, "Bound on the weight; not positive for none.");
template <class P>
constexpr auto lazy_update_field =
    field<P, bool>("lazy_update", &P::lazy_update, "With a row-sparse gradient, change its rows only.");

}  // namespace hyper

// What most rules begin with: the gradient scaled and clipped.
template <class V>
struct GradientScale {
  V scale, bound;
  explicit GradientScale(const UpdateHyper& h)
      : scale(static_cast<V>(h.rescale_grad)),
        bound(h.clip_gradient >= 0 ? static_cast<V>(h.clip_gradient) : std::numeric_limits<V>::infinity()) {}
  // Two choices on their own, so that loops become vector code; NaN stays.
  MX_HD V clip(V g) const {
    V low = g > bound ? bound : g;
    return low < -bound ? -bound : low;
  }
  MX_HD V operator()(V g) const { return clip(scale * g); }
  // Some rules clip the sum of gradient and weight decay.
  MX_HD V with_decay(V g, V decay) const { return clip(scale * g + decay); }
};

namespace rule {

template <class V>
struct Sgd {
  static constexpr int num_states = 0;
  V lr, wd;
  GradientScale<V> scaled;
  explicit Sgd(const UpdateHyper& h) : lr(static_cast<V>(h.lr)), wd(static_cast<V>(h.wd)), scaled(h) {}
  MX_HD void operator()(V& w, V g, V*) const { w -= lr * (wd * w + scaled(g)); }
};

template <class V>
struct SgdMomentum {
  static constexpr int num_states = 1;
  V lr, wd, momentum;
  GradientScale<V> scaled;
  explicit SgdMomentum(const UpdateHyper& h)
      : lr(static_cast<V>(h.lr)), wd(static_cast<V>(h.wd)), momentum(static_cast<V>(h.momentum)), scaled(h) {}
  MX_HD void operator()(V& w, V g, V* state) const {
    state[0] = momentum * state[0] - lr * (wd * w + scaled(g));
    w += state[0];
  }
};

template <class V>
struct Nesterov : SgdMomentum<V> {
  using SgdMomentum<V>::SgdMomentum;
  MX_HD void operator()(V& w, V g, V* state) const {
    V step = this->lr * (this->wd * w + this->scaled(g));
    state[0] = this->momentum * state[0] - step;
    w += this->momentum * state[0] - step;
  }
};

template <class V>
struct SignSgd : Sgd<V> {
  using Sgd<V>::Sgd;
  MX_HD void operator()(V& w, V g, V*) const { w -= this->lr * (this->wd * w + sign(g)); }
};

template <class V>
struct Signum {
  static constexpr int num_states = 1;
  V lr, wd, wd_lh, momentum;
  GradientScale<V> scaled;
  explicit Signum(const UpdateHyper& h)
      : lr(static_cast<V>(h.lr)),
        wd(static_cast<V>(h.wd)),
        wd_lh(static_cast<V>(h.wd_lh)),
        momentum(static_cast<V>(h.momentum)),
        scaled(h) {}
  MX_HD void operator()(V& w, V g, V* state) const {
    state[0] = momentum * state[0] - (V(1) - momentum) * (wd * w + scaled(g));
    w = (V(1) - lr * wd_lh) * w + lr * sign(state[0]);
  }
};

// The moments that Adam and its relatives keep.
template <class V>
struct Moments {
  V beta1, beta2, epsilon;
  explicit Moments(const UpdateHyper& h)
      : beta1(static_cast<V>(h.beta1)), beta2(static_cast<V>(h.beta2)), epsilon(static_cast<V>(h.epsilon)) {}
  MX_HD void update(V g, V* state) const {
    state[0] = beta1 * state[0] + (V(1) - beta1) * g;
    state[1] = beta2 * state[1] + (V(1) - beta2) * (g * g);
  }
  MX_HD V ratio(const V* state) const { return state[0] / (sqrt(state[1]) + epsilon); }
};

template <class V>
struct Adam {
  static constexpr int num_states = 2;
  V lr, wd;
  GradientScale<V> scaled;
  Moments<V> moments;
  explicit Adam(const UpdateHyper& h) : lr(static_cast<V>(h.lr)), wd(static_cast<V>(h.wd)), scaled(h), moments(h) {}
  MX_HD void operator()(V& w, V g, V* state) const {
    moments.update(scaled.with_decay(g, wd * w), state);
    w -= lr * moments.ratio(state);
  }
};

// Weight decay apart from the moments.
template <class V>
struct AdamW {
  static constexpr int num_states = 2;
  V lr, wd, eta;
  GradientScale<V> scaled;
  Moments<V> moments;
  explicit AdamW(const UpdateHyper& h)
      : lr(static_cast<V>(h.lr)), wd(static_cast<V>(h.wd)), eta(static_cast<V>(h.eta)), scaled(h), moments(h) {}
  MX_HD void operator()(V& w, V g, V* state) const {
    moments.update(scaled(g), state);
    w -= eta * (lr * moments.ratio(state) + wd * w);
  }
};

// The sign of a mean of momentum and gradient gives the direction (Chen et al., 2023).
template <class V>
struct Lion {
  static constexpr int num_states = 1;
  V lr, wd, beta1, beta2;
  GradientScale<V> scaled;
  explicit Lion(const UpdateHyper& h)
      : lr(static_cast<V>(h.lr)),
        wd(static_cast<V>(h.wd)),
        beta1(static_cast<V>(h.beta1)),
        beta2(static_cast<V>(h.beta2)),
        scaled(h) {}
  MX_HD void operator()(V& w, V g, V* state) const {
    g = scaled(g);
    w -= lr * sign(beta1 * state[0] + (V(1) - beta1) * g) + wd * w;
    state[0] = beta2 * state[0] + (V(1) - beta2) * g;
  }
};

// LAMB's direction takes the place of the weight; the second phase scales it.
template <class V>
struct LambDirection {
  static constexpr int num_states = 2;
  V wd, first_scale, second_scale;
  GradientScale<V> scaled;
  Moments<V> moments;
  explicit LambDirection(const UpdateHyper& h)
      : wd(static_cast<V>(h.wd)), first_scale(1), second_scale(1), scaled(h), moments(h) {
    if (!h.bias_correction) return;
    first_scale = static_cast<V>(1 / (1 - std::pow(h.beta1, static_cast<double>(h.t))));
    second_scale = static_cast<V>(1 / (1 - std::pow(h.beta2, static_cast<double>(h.t))));
  }
  MX_HD void operator()(V& w, V g, V* state) const {
    moments.update(scaled(g), state);
    w = state[0] * first_scale / (sqrt(state[1] * second_scale) + moments.epsilon) + wd * w;
  }
};

template <class V>
struct RmsProp {
  static constexpr int num_states = 1;
  V lr, wd, gamma1, epsilon, weight_bound;
  GradientScale<V> scaled;
  explicit RmsProp(const UpdateHyper& h)
      : lr(static_cast<V>(h.lr)),
        wd(static_cast<V>(h.wd)),
        gamma1(static_cast<V>(h.gamma1)),
        epsilon(static_cast<V>(h.epsilon)),
        weight_bound(h.clip_weights > 0 ? static_cast<V>(h.clip_weights) : std::numeric_limits<V>::infinity()),
        scaled(h) {}
  MX_HD V bounded(V w) const { return w > weight_bound ? weight_bound : w < -weight_bound ? -weight_bound : w; }
  MX_HD void operator()(V& w, V g, V* state) const {
    V grad = scaled.with_decay(g, wd * w);
    state[0] = gamma1 * state[0] + (V(1) - gamma1) * (grad * grad);
    w = bounded(w - lr * grad / sqrt(state[0] + epsilon));
  }
};

// Graves' variant: the variance about the mean gradient, and a step with momentum.
template <class V>
struct RmsPropAlex : RmsProp<V> {
  static constexpr int num_states = 3;
  V gamma2;
  explicit RmsPropAlex(const UpdateHyper& h) : RmsProp<V>(h), gamma2(static_cast<V>(h.gamma2)) {}
  MX_HD void operator()(V& w, V g, V* state) const {
    V grad = this->scaled.with_decay(g, this->wd * w), rest = V(1) - this->gamma1;
    state[0] = this->gamma1 * state[0] + rest * (grad * grad);
    state[1] = this->gamma1 * state[1] + rest * grad;
    state[2] = gamma2 * state[2] - this->lr * grad / sqrt(state[0] - state[1] * state[1] + this->epsilon);
    w = this->bounded(w + state[2]);
  }
};

template <class V>
struct Ftrl {
  static constexpr int num_states = 2;
  V lr, wd, lamda1, beta;
  GradientScale<V> scaled;
  explicit Ftrl(const UpdateHyper& h)
      : lr(static_cast<V>(h.lr)),
        wd(static_cast<V>(h.wd)),
        lamda1(static_cast<V>(h.lamda1)),
        beta(static_cast<V>(h.beta)),
        scaled(h) {}
  MX_HD void operator()(V& w, V g, V* state) const {
    V grad = scaled(g), square_sum = state[1] + grad * grad, root = sqrt(square_sum);
    state[0] += grad - (root - sqrt(state[1])) * w / lr;
    state[1] = square_sum;
    V z = state[0], moved = (sign(z) * lamda1 - z) / ((beta + root) / lr + wd);
    w = abs(z) > lamda1 ? moved : V(0);
  }
};

template <class V>
struct Ftml {
  static constexpr int num_states = 3;
  V wd, beta1, beta2, epsilon, step, second_scale;
  GradientScale<V> scaled;
  explicit Ftml(const UpdateHyper& h)
      : wd(static_cast<V>(h.wd)),
        beta1(static_cast<V>(h.beta1)),
        beta2(static_cast<V>(h.beta2)),
        epsilon(static_cast<V>(h.epsilon)),
        step(static_cast<V>((1 - std::pow(h.beta1, static_cast<double>(h.t))) / h.lr)),
        second_scale(static_cast<V>(1 / (1 - std::pow(h.beta2, static_cast<double>(h.t))))),
        scaled(h) {}
  MX_HD void operator()(V& w, V g, V* state) const {
    V grad = scaled.with_decay(g, wd * w);
    state[1] = beta2 * state[1] + (V(1) - beta2) * (grad * grad);
    V d = step * (sqrt(state[1] * second_scale) + epsilon);
    state[2] = beta1 * state[2] + (V(1) - beta1) * grad - (d - beta1 * state[0]) * w;
    state[0] = d;
    w = -state[2] / d;
  }
};

template <class V>
struct AdaGrad {
  static constexpr int num_states = 1;
  V lr, wd, epsilon;
  GradientScale<V> scaled;
  explicit AdaGrad(const UpdateHyper& h)
      : lr(static_cast<V>(h.lr)), wd(static_cast<V>(h.wd)), epsilon(static_cast<V>(h.epsilon)), scaled(h) {}
  MX_HD void operator()(V& w, V g, V* state) const {
    V grad = scaled(g);
    state[0] += grad * grad;
    w -= lr * (grad / sqrt(state[0] + epsilon) + wd * w);
  }
};

}  // namespace rule

// How an operator lays out its inputs: weight, gradient, the rule's states, then what follows.
enum class UpdateKind {
  plain,        // all of one dtype
  mixed,        // weight and gradient narrow, states and a copy of the weight, the last input, in float32
  scaled,       // plain, then rescale_grad as an array: the update is left out where that is not finite or zero
  mixed_scaled  // mixed, then rescale_grad as an array
};

// The operators: each is its own parameter struct. `Rule` names the functor.

struct SgdUpdate : UpdateHyper {
  static constexpr auto name = "sgd_update";
  static constexpr auto doc = "weight -= lr * (wd * weight + clip(rescale_grad * grad)).";
  static constexpr UpdateKind kind = UpdateKind::plain;
  static constexpr std::array<const char*, 0> states{};
  template <class V>
  using Rule = rule::Sgd<V>;
  template <class P = SgdUpdate>
  static constexpr auto fields() {
    using namespace hyper;
    return std::tuple{lr_field<P>, wd_field<P>, rescale_grad_field<P>, clip_gradient_field<P>, lazy_update_field<P>};
  }
};
struct MpSgdUpdate : SgdUpdate {
  static constexpr auto name = "mp_sgd_update";
  static constexpr auto doc = "sgd_update of a float32 weight that is then stored in the dtype of `weight`.";
  static constexpr UpdateKind kind = UpdateKind::mixed;
  static constexpr auto fields() { return SgdUpdate::fields<MpSgdUpdate>(); }
};

struct SgdMomUpdate : UpdateHyper {
  static constexpr auto name = "sgd_mom_update";
  static constexpr auto doc = "mom = momentum * mom - lr * (wd * weight + clip(rescale_grad * grad)); weight += mom.";
  static constexpr UpdateKind kind = UpdateKind::plain;
  static constexpr std::array states{"mom"};
  template <class V>
  using Rule = rule::SgdMomentum<V>;
  template <class P = SgdMomUpdate>
  static constexpr auto fields() {
    using namespace hyper;
    return std::tuple{lr_field<P>,           momentum_field<P>,      wd_field<P>,
                      rescale_grad_field<P>, clip_gradient_field<P>, lazy_update_field<P>};
  }
};
struct MpSgdMomUpdate : SgdMomUpdate {
  static constexpr auto name = "mp_sgd_mom_update";
  static constexpr auto doc = "sgd_mom_update of a float32 weight that is then stored in the dtype of `weight`.";
  static constexpr UpdateKind kind = UpdateKind::mixed;
  static constexpr auto fields() { return SgdMomUpdate::fields<MpSgdMomUpdate>(); }
};

struct NagMomUpdate : UpdateHyper {
  static constexpr auto name = "nag_mom_update";
  static constexpr auto doc =
      "Nesterov's momentum: step = lr * (wd * weight + clip(rescale_grad * grad)); mom = momentum * mom - step; "
      "weight += momentum * mom - step.";
  static constexpr UpdateKind kind = UpdateKind::plain;
  static constexpr std::array states{"mom"};
  template <class V>
  using Rule = rule::Nesterov<V>;
  template <class P = NagMomUpdate>
  static constexpr auto fields() {
    using namespace hyper;
    return std::tuple{lr_field<P>, momentum_field<P>, wd_field<P>, rescale_grad_field<P>, clip_gradient_field<P>};
  }
};
struct MpNagMomUpdate : NagMomUpdate {
  static constexpr auto name = "mp_nag_mom_update";
  static constexpr auto doc = "nag_mom_update of a float32 weight that is then stored in the dtype of `weight`.";
  static constexpr UpdateKind kind = UpdateKind::mixed;
  static constexpr auto fields() { return NagMomUpdate::fields<MpNagMomUpdate>(); }
};

struct SignsgdUpdate : UpdateHyper {
  static constexpr auto name = "signsgd_update";
  static constexpr auto doc = "weight -= lr * (wd * weight + sign(grad)).";
  static constexpr UpdateKind kind = UpdateKind::plain;
  static constexpr std::array<const char*, 0> states{};
  template <class V>
  using Rule = rule::SignSgd<V>;
  static constexpr auto fields() {
    using P = SignsgdUpdate;
    using namespace hyper;
    return std::tuple{lr_field<P>, wd_field<P>, rescale_grad_field<P>, clip_gradient_field<P>};
  }
};

struct SignumUpdate : UpdateHyper {
  static constexpr auto name = "signum_update";
  static constexpr auto doc =
      "mom = momentum * mom - (1 - momentum) * (wd * weight + clip(rescale_grad * grad)); "
      "weight = (1 - lr * wd_lh) * weight + lr * sign(mom).";
  static constexpr UpdateKind kind = UpdateKind::plain;
  static constexpr std::array states{"mom"};
  template <class V>
  using Rule = rule::Signum<V>;
  static constexpr auto fields() {
    using P = SignumUpdate;
    using namespace hyper;
    return std::tuple{
        lr_field<P>,           momentum_field<P>,      wd_field<P>,
        rescale_grad_field<P>, clip_gradient_field<P>, field<P, double>("wd_lh", &P::wd_lh, "Weight decay apart.")};
  }
};

struct AdamUpdate : UpdateHyper {
  static constexpr auto name = "adam_update";
  static constexpr auto doc =
      "g = clip(rescale_grad * grad + wd * weight); mean = beta1 * mean + (1 - beta1) * g; var = beta2 * var + "
      "(1 - beta2) * g^2; weight -= lr * mean / (sqrt(var) + epsilon).";
  static constexpr UpdateKind kind = UpdateKind::plain;
  static constexpr std::array states{"mean", "var"};
  template <class V>
  using Rule = rule::Adam<V>;
  static constexpr auto fields() {
    using P = AdamUpdate;
    using namespace hyper;
    return std::tuple{lr_field<P>, beta1_field<P>,        beta2_field<P>,         epsilon_field<P>,
                      wd_field<P>, rescale_grad_field<P>, clip_gradient_field<P>, lazy_update_field<P>};
  }
};

struct AdamwUpdate : UpdateHyper {
  static constexpr auto name = "_adamw_update";
  static constexpr auto doc =
      "Adam on g = clip(rescale_grad * grad), with weight decay apart: weight -= eta * (lr * mean / (sqrt(var) + "
      "epsilon) + wd * weight). Nothing happens where rescale_grad is zero or not finite.";
  static constexpr UpdateKind kind = UpdateKind::scaled;
  static constexpr std::array states{"mean", "var"};
  template <class V>
  using Rule = rule::AdamW<V>;
  template <class P = AdamwUpdate>
  static constexpr auto fields() {
    using namespace hyper;
    auto eta = field<P, double>("eta", &P::eta, "Schedule multiplier of the whole step.").required();
    return std::tuple{lr_field<P>, beta1_field<P>,        beta2_field<P>, epsilon_field<P>, wd_field<P>,
                      eta,         clip_gradient_field<P>};
  }
};
struct MpAdamwUpdate : AdamwUpdate {
  static constexpr auto name = "_mp_adamw_update";
  static constexpr auto doc = "_adamw_update of a float32 weight that is then stored in the dtype of `weight`.";
  static constexpr UpdateKind kind = UpdateKind::mixed_scaled;
  static constexpr auto fields() { return AdamwUpdate::fields<MpAdamwUpdate>(); }
};

struct RmspropUpdate : UpdateHyper {
  static constexpr auto name = "rmsprop_update";
  static constexpr auto doc =
      "g = clip(rescale_grad * grad + wd * weight); n = gamma1 * n + (1 - gamma1) * g^2; weight -= lr * g / "
      "sqrt(n + epsilon), then clipped to clip_weights.";
  static constexpr UpdateKind kind = UpdateKind::plain;
  static constexpr std::array states{"n"};
  template <class V>
  using Rule = rule::RmsProp<V>;
  static constexpr auto fields() {
    using P = RmspropUpdate;
    using namespace hyper;
    return std::tuple{lr_field<P>,           gamma1_field<P>,        epsilon_field<P>,     wd_field<P>,
                      rescale_grad_field<P>, clip_gradient_field<P>, clip_weights_field<P>};
  }
};

struct RmspropalexUpdate : UpdateHyper {
  static constexpr auto name = "rmspropalex_update";
  static constexpr auto doc =
      "rmsprop_update about the mean gradient: n and g are running means of square and gradient, delta = gamma2 * "
      "delta - lr * grad / sqrt(n - g^2 + epsilon), weight += delta.";
  static constexpr UpdateKind kind = UpdateKind::plain;
  static constexpr std::array states{"n", "g", "delta"};
  template <class V>
  using Rule = rule::RmsPropAlex<V>;
  static constexpr auto fields() {
    using P = RmspropalexUpdate;
    using namespace hyper;
    return std::tuple{lr_field<P>, gamma1_field<P>,       gamma2_field<P>,        epsilon_field<P>,
                      wd_field<P>, rescale_grad_field<P>, clip_gradient_field<P>, clip_weights_field<P>};
  }
};

struct FtrlUpdate : UpdateHyper {
  static constexpr auto name = "ftrl_update";
  static constexpr auto doc =
      "g = clip(rescale_grad * grad); z += g - (sqrt(n + g^2) - sqrt(n)) * weight / lr; n += g^2; weight = (sign(z) * "
      "lamda1 - z) / ((beta + sqrt(n)) / lr + wd) where |z| > lamda1 and 0 elsewhere.";
  static constexpr UpdateKind kind = UpdateKind::plain;
  static constexpr std::array states{"z", "n"};
  template <class V>
  using Rule = rule::Ftrl<V>;
  static constexpr auto fields() {
    using P = FtrlUpdate;
    using namespace hyper;
    return std::tuple{lr_field<P>,
                      field<P, double>("lamda1", &P::lamda1, "Strength of the L1 penalty."),
                      field<P, double>("beta", &P::beta, "Added to the root of n."),
                      wd_field<P>,
                      rescale_grad_field<P>,
                      clip_gradient_field<P>};
  }
};

struct FtmlUpdate : UpdateHyper {
  static constexpr auto name = "ftml_update";
  static constexpr auto doc =
      "Follow the moving leader: v is Adam's second moment, d_t = (1 - beta1^t) / lr * (sqrt(v / (1 - beta2^t)) + "
      "epsilon), z = beta1 * z + (1 - beta1) * g - (d_t - beta1 * d) * weight, weight = -z / d_t.";
  static constexpr UpdateKind kind = UpdateKind::plain;
  static constexpr std::array states{"d", "v", "z"};
  template <class V>
  using Rule = rule::Ftml<V>;
  FtmlUpdate() { beta1 = 0.6; }
  static constexpr auto fields() {
    using P = FtmlUpdate;
    using namespace hyper;
    auto step = field<P, int64_t>("t", &P::t, "Number of this update, from 1.").required();
    auto clip = field<P, double>("clip_grad", &P::clip_gradient, "Bound on the gradient; negative for none.");
    return std::tuple{lr_field<P>, beta1_field<P>, beta2_field<P>,        epsilon_field<P>,
                      step,        wd_field<P>,    rescale_grad_field<P>, clip};
  }
};

struct LambPhase1 : UpdateHyper {
  static constexpr auto name = "lamb_update_phase1";
  static constexpr auto doc =
      "LAMB's direction: mean / (sqrt(var) + epsilon) + wd * weight with Adam's moments of clip(rescale_grad * grad), "
      "corrected for their bias.";
  static constexpr UpdateKind kind = UpdateKind::plain;
  static constexpr std::array states{"mean", "var"};
  template <class V>
  using Rule = rule::LambDirection<V>;
  static constexpr bool gives_direction = true;
  LambPhase1() { epsilon = 1e-6; }
  template <class P = LambPhase1>
  static constexpr auto fields() {
    using namespace hyper;
    auto step = field<P, int64_t>("t", &P::t, "Number of this update, from 1.").required();
    auto correction = field<P, bool>("bias_correction", &P::bias_correction, "Correct the moments for their bias.");
    return std::tuple{beta1_field<P>, beta2_field<P>,         epsilon_field<P>,      step,
                      correction,     wd_field<P>.required(), rescale_grad_field<P>, clip_gradient_field<P>};
  }
};
struct MpLambPhase1 : LambPhase1 {
  static constexpr auto name = "mp_lamb_update_phase1";
  static constexpr auto doc = "lamb_update_phase1 from a float32 copy of the weight; the direction is float32.";
  static constexpr UpdateKind kind = UpdateKind::mixed;
  static constexpr auto fields() { return LambPhase1::fields<MpLambPhase1>(); }
};

struct AdagradUpdate : UpdateHyper {
  static constexpr auto name = "_sparse_adagrad_update";
  static constexpr auto doc =
      "g = clip(rescale_grad * grad); history += g^2; weight -= lr * (g / sqrt(history + epsilon) + wd * weight).";
  static constexpr UpdateKind kind = UpdateKind::plain;
  static constexpr std::array states{"history"};
  template <class V>
  using Rule = rule::AdaGrad<V>;
  AdagradUpdate() { epsilon = 1e-7; }
  static constexpr auto fields() {
    using P = AdagradUpdate;
    using namespace hyper;
    return std::tuple{lr_field<P>, epsilon_field<P>, wd_field<P>, rescale_grad_field<P>, clip_gradient_field<P>};
  }
};

template <class... U>
struct UpdateList {
  template <class Visitor>
  static void each(Visitor&& visit) {
    (visit.template operator()<U>(), ...);
  }
};
using Updates = UpdateList<SgdUpdate, MpSgdUpdate, SgdMomUpdate, MpSgdMomUpdate, NagMomUpdate, MpNagMomUpdate,
                           SignsgdUpdate, SignumUpdate, AdamUpdate, AdamwUpdate, MpAdamwUpdate, RmspropUpdate,
                           RmspropalexUpdate, FtrlUpdate, FtmlUpdate, LambPhase1, MpLambPhase1, AdagradUpdate>;

}  // namespace mxnet
