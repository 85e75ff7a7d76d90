// Turn: the calling thread waits until it holds some Vars itself.
#pragma once
#include "mxnet/engine/blocking.h"
#include "mxnet/engine/request.h"

namespace mxnet {

class Turn final : public Request {
 public:
  Turn(Kind kind, std::span<Var* const> reads, std::span<Var* const> writes) : Request(kind) {
    if (!claim(reads, writes)) event_.wait();
  }
  ~Turn() override { give_back(); }

 private:
  void ready() override { event_.set(); }

  Event event_;
};

// Waits for the Var as Engine::wait_to_read and wait_to_write do, and raises what it carries.
void wait_for_turn(Var& var, bool for_write);

}  // namespace mxnet
