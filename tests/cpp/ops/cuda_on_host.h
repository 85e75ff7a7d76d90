// Runs CUDA kernels on the host, one block after the other: each thread of a block is a fibre, and a barrier
// gives way to the next. It checks index arithmetic and the use of shared memory and barriers; not races.
// Include before the .cuh files with the kernels.
#pragma once
#include <ucontext.h>

#include <functional>
#include <memory>
#include <vector>

#define __global__
#define __device__
#define __shared__ static

namespace cuda_on_host {

struct Index {
  unsigned x = 1, y = 1, z = 1;
};

inline Index thread_index, block_index, block_size, grid_size;

class Block {
 public:
  Block(Index size, const std::function<void()>& kernel) : kernel_(kernel) {
    for (unsigned z = 0; z < size.z; ++z)
      for (unsigned y = 0; y < size.y; ++y)
        for (unsigned x = 0; x < size.x; ++x) add_thread({x, y, z});
  }

  // Every fibre runs to its next barrier or its end in turn, so that all of them meet at each barrier.
  void run() {
    current() = this;
    for (bool busy = true; busy;) {
      busy = false;
      for (auto& thread : threads_) {
        if (thread->done) continue;
        running_ = thread.get();
        thread_index = thread->index;
        swapcontext(&scheduler_, &thread->context);
        busy |= !thread->done;
      }
    }
  }
  static void barrier() {
    Block* block = current();
    swapcontext(&block->running_->context, &block->scheduler_);
  }

 private:
  struct Thread {
    Index index;
    ucontext_t context;
    std::vector<char> stack = std::vector<char>(64 << 10);
    bool done = false;
  };

  static Block*& current() {
    static Block* block = nullptr;
    return block;
  }
  static void enter() {
    Block* block = current();
    block->kernel_();
    block->running_->done = true;
  }
  void add_thread(Index index) {
    auto thread = std::make_unique<Thread>();
    thread->index = index;
    getcontext(&thread->context);
    thread->context.uc_stack.ss_sp = thread->stack.data();
    thread->context.uc_stack.ss_size = thread->stack.size();
    thread->context.uc_link = &scheduler_;
    makecontext(&thread->context, enter, 0);
    threads_.push_back(std::move(thread));
  }

  const std::function<void()>& kernel_;
  std::vector<std::unique_ptr<Thread>> threads_;
  Thread* running_ = nullptr;
  ucontext_t scheduler_;
};

inline void launch(Index grid, Index block, const std::function<void()>& kernel) {
  grid_size = grid, block_size = block;
  for (unsigned z = 0; z < grid.z; ++z)
    for (unsigned y = 0; y < grid.y; ++y)
      for (unsigned x = 0; x < grid.x; ++x) {
        block_index = {x, y, z};
        Block(block, kernel).run();
      }
}

}  // namespace cuda_on_host

#define threadIdx cuda_on_host::thread_index
#define blockIdx cuda_on_host::block_index
#define blockDim cuda_on_host::block_size
#define gridDim cuda_on_host::grid_size
#define __syncthreads cuda_on_host::Block::barrier
