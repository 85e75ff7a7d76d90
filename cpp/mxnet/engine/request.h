// Request: something that needs several Vars at once and is told when it has them all.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "mxnet/engine/var.h"

namespace mxnet {

// One Request's place at one Var.
struct Claim {
  Ref<Var> var;
  Request* request = nullptr;
  Claim* next = nullptr;  // in the Var's queue
  uint32_t word = 0;      // the Var's state while it is locked
  bool write = false;
};

class Request {
 public:
  // What a write claim means: an operation changes the Var, a wait only wants it for itself.
  enum class Kind : uint8_t { operation, wait };

  explicit Request(Kind kind) : kind_(kind) {}
  Request(const Request&) = delete;
  virtual ~Request() = default;

  // Takes its place at every Var. True if all were free, and then the Request holds them; otherwise
  // ready() is called once it does, from any thread, maybe before this returns.
  bool claim(std::span<Var* const> reads, std::span<Var* const> writes);
  // Gives the Vars back and calls ready() of the Requests that got their last Var by it.
  void give_back();

  // While it holds the Vars: the failure one of them carries, if any, and marking those it writes.
  Ref<Failure> find_failure() const;
  void mark_writes(const Ref<Failure>& failure) const;

 protected:
  virtual void ready() = 0;

 private:
  friend class Var;
  friend struct ReadyList;

  std::span<Claim> make_claims(std::span<Var* const> reads, std::span<Var* const> writes);
  bool granted(int count) { return missing_.fetch_sub(count, std::memory_order_acq_rel) == count; }

  static constexpr size_t kInline = 6;
  Claim inline_claims_[kInline];
  std::unique_ptr<Claim[]> heap_claims_;
  std::span<Claim> claims_;
  std::atomic<int> missing_{0};
  Request* next_ready_ = nullptr;
  const Kind kind_;
};

// Requests whose ready() is due, gathered while Vars are locked and called when none is.
struct ReadyList {
  Request* first = nullptr;
  Request** end = &first;

  void add(Request* request) {
    *end = request;
    end = &request->next_ready_;
  }
  void call() {
    while (Request* request = first) {
      first = request->next_ready_;  // ready() may end the request
      request->ready();
    }
  }
};

}  // namespace mxnet
