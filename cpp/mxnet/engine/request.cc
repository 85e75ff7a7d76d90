#include "mxnet/engine/request.h"

#include <algorithm>
#include <functional>

#include "mxnet/storage/spinlock.h"

namespace mxnet {

// For the fast path: another thread holds the lock for an instant. False if the Var is really busy.
bool Var::wait_unlocked(uint32_t& word, uint32_t busy) const {
  for (int step = 0; word & kLocked && !(word & busy); ++step) {
    back_off(step);
    word = state_.load(std::memory_order_relaxed);
  }
  return !(word & busy);
}

uint32_t Var::lock() {
  for (int step = 0;; ++step) {
    uint32_t word = state_.load(std::memory_order_relaxed);
    if (!(word & kLocked) &&
        state_.compare_exchange_weak(word, word | kLocked, std::memory_order_acquire, std::memory_order_relaxed))
      return word;
    back_off(step);
  }
}

void Var::end_slowly(bool write) {
  ReadyList ready;
  give_back(write, ready);
  ready.call();
}

// Locked: takes the Var for the claim or puts the claim into the queue.
uint32_t Var::enqueue(uint32_t word, Claim& claim, int& granted) {
  bool free = claim.write ? !(word & ~kFailed) : !(word & (kQueued | kWriter));
  if (free) {
    ++granted;
    return claim.write ? word | kWriter : word + kReader;
  }
  claim.next = nullptr;
  (word & kQueued ? last_->next : first_) = &claim;
  last_ = &claim;
  return word | kQueued;
}

// Locked: hands the Var to the claims at the head of the queue as far as they go together.
uint32_t Var::grant_waiting(uint32_t word, ReadyList& ready) {
  while (word & kQueued && !(word & kWriter)) {
    Claim* claim = first_;
    if (claim->write && word & kReaders) break;
    word = claim->write ? word | kWriter : word + kReader;
    first_ = claim->next;
    if (!first_) word &= ~kQueued;
    if (claim->request->granted(1)) ready.add(claim->request);
  }
  return word;
}

void Var::give_back(bool write, ReadyList& ready) {
  uint32_t word = lock();
  word -= write ? kWriter : kReader;
  unlock(grant_waiting(word, ready));
}

void Var::set_failure(const Ref<Failure>& failure) {
  Ref<Failure> old = failure;  // swapped in, so that what it replaces is freed after the lock
  uint32_t word = lock();
  std::swap(failure_, old);
  unlock(word | kFailed);
}

// The failure to raise here, if there is one; drops one that was raised elsewhere.
Ref<Failure> Var::failure() {
  if (!(state_.load(std::memory_order_acquire) & kFailed)) return nullptr;
  Ref<Failure> found;
  uint32_t word = lock();
  if (word & kFailed && !failure_->raised())
    found = failure_;
  else {
    std::swap(found, failure_);
    word &= ~kFailed;
  }
  unlock(word);
  return found && !found->raised() ? found : nullptr;
}

// One claim per Var, in the order of their addresses; a Var that is read and written counts as written.
std::span<Claim> Request::make_claims(std::span<Var* const> reads, std::span<Var* const> writes) {
  size_t count = reads.size() + writes.size();
  Claim* claims = inline_claims_;
  if (count > kInline) {
    heap_claims_ = std::make_unique<Claim[]>(count);
    claims = heap_claims_.get();
  }
  size_t size = 0;
  auto add = [&](Var* var, bool write) {
    claims[size].var = Ref<Var>(var);
    claims[size].request = this;
    claims[size++].write = write;
  };
  for (Var* var : writes) add(var, true);
  for (Var* var : reads) add(var, false);
  if (size < 2) return {claims, size};
  std::sort(claims, claims + size, [](const Claim& a, const Claim& b) {
    return a.var == b.var ? a.write > b.write : std::less<Var*>()(a.var.get(), b.var.get());
  });
  Claim* end = std::unique(claims, claims + size, [](const Claim& a, const Claim& b) { return a.var == b.var; });
  return {claims, static_cast<size_t>(end - claims)};
}

bool Request::claim(std::span<Var* const> reads, std::span<Var* const> writes) {
  claims_ = make_claims(reads, writes);
  int granted_now = 1;
  missing_.store(static_cast<int>(claims_.size()) + 1, std::memory_order_relaxed);
  // All are locked before one is unlocked: two requests then stand in the same order at every Var they share.
  for (Claim& claim : claims_) {
    uint32_t word = claim.var->lock();
    if (claim.write && kind_ == Kind::operation) claim.var->count_write();
    claim.word = claim.var->enqueue(word, claim, granted_now);
  }
  for (Claim& claim : claims_) claim.var->unlock(claim.word);
  return granted(granted_now);
}

void Request::give_back() {
  ReadyList ready;
  for (Claim& claim : claims_) claim.var->give_back(claim.write, ready);
  ready.call();
}

Ref<Failure> Request::find_failure() const {
  for (const Claim& claim : claims_)
    if (Ref<Failure> failure = claim.var->failure()) return failure;
  return nullptr;
}

void Request::mark_writes(const Ref<Failure>& failure) const {
  for (const Claim& claim : claims_)
    if (claim.write) claim.var->set_failure(failure);
}

}  // namespace mxnet
