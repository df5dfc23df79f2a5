// Threads of the voxel library. They sleep when idle: they never fight with those of torch or OpenMP.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <new>
#include <thread>
#include <vector>

namespace medsegan {

// Calls work(index) for every index of [0, count), on up to `threads` threads. Each index is worked on once, by one
// thread, in no order: a result that depends on the index alone does not depend on the number of threads.
template <typename F>
void parallel_for(int64_t count, int threads, const F& work) {
  const int used = static_cast<int>(std::min<int64_t>(std::max(threads, 1), count));
  if (used <= 1) {
    for (int64_t index = 0; index < count; ++index) work(index);
    return;
  }
  std::atomic<int64_t> next{0};
  std::vector<std::exception_ptr> failures(used);
  auto run = [&](int who) {
    try {
      for (int64_t index = next++; index < count; index = next++) work(index);
    } catch (...) {
      failures[who] = std::current_exception();
      next = count;
    }
  };
  {
    std::vector<std::jthread> helpers;
    helpers.reserve(used - 1);
    for (int who = 1; who < used; ++who) helpers.emplace_back(run, who);
    run(0);
  }
  for (const auto& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

// Runs the body of a C function; what it throws becomes the sentence that the function returns.
template <typename F>
const char* guarded(const F& body) noexcept {
  try {
    body();
    return nullptr;
  } catch (const std::bad_alloc&) {
    return "not enough memory";
  } catch (...) {
    return "a thread could not be started";
  }
}

}  // namespace medsegan
