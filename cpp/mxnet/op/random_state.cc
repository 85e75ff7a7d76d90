#include "mxnet/op/random_state.h"

#include <map>
#include <mutex>
#include <random>

namespace mxnet {
namespace {

// Each context has a key, from the seed, and counts the numbers drawn; a number depends on key and count
// alone, not on threads.
class RandomStates {
 public:
  RandomState draw(Context ctx, uint64_t count) {
    std::lock_guard lock(mutex_);
    RandomState& state = at(ctx);
    RandomState result = state;
    state.offset += count;
    return result;
  }
  void seed(uint64_t seed) {
    std::lock_guard lock(mutex_);
    seed_ = seed;
    states_.clear();
  }
  void seed(uint64_t seed, Context ctx) {
    std::lock_guard lock(mutex_);
    at(ctx) = {mix(seed, ctx), 0};
  }
  RandomSnapshot snapshot() {
    std::lock_guard lock(mutex_);
    RandomSnapshot result{seed_, {}};
    for (const auto& [key, state] : states_)
      result.contexts.emplace_back(Context{static_cast<DeviceType>(key.first), key.second}, state);
    return result;
  }
  void restore(const RandomSnapshot& snapshot) {
    std::lock_guard lock(mutex_);
    seed_ = snapshot.seed;
    states_.clear();
    for (const auto& [ctx, state] : snapshot.contexts) at(ctx) = state;
  }

 private:
  using Key = std::pair<int32_t, int32_t>;

  static uint64_t mix(uint64_t seed, Context ctx) {
    // The finaliser of SplitMix64 (Steele, Lea, Flood 2014) spreads close seeds over all bits.
    uint64_t z = seed + 0x9e3779b97f4a7c15ull * (1 + static_cast<uint64_t>(ctx.id));
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }
  RandomState& at(Context ctx) {
    Context device = ctx.on_host() ? Context::cpu(ctx.id) : ctx;
    auto [it, fresh] = states_.try_emplace(Key{static_cast<int32_t>(device.type), device.id});
    if (fresh) it->second = {mix(seed_, device), 0};
    return it->second;
  }

  std::mutex mutex_;
  uint64_t seed_ = std::random_device{}();
  std::map<Key, RandomState> states_;
};

RandomStates& states() {
  static RandomStates* states = new RandomStates();
  return *states;
}

}  // namespace

RandomState draw_random(Context ctx, uint64_t count) { return states().draw(ctx, count); }
void seed_random(uint64_t seed) { states().seed(seed); }
void seed_random(uint64_t seed, Context ctx) { states().seed(seed, ctx); }
RandomSnapshot random_snapshot() { return states().snapshot(); }
void restore_random(const RandomSnapshot& snapshot) { states().restore(snapshot); }

}  // namespace mxnet
