// Asks the processor, before any code that needs its newer instructions is run, and how many threads it gives us.
// Compiled for the oldest one.
#include <cstdlib>
#include <thread>

#include "api.h"

extern "C" MEDSEGAN_API int medsegan_processor_is_supported() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
#else
  return 1;
#endif
}

extern "C" MEDSEGAN_API int medsegan_default_threads() {
  const char* wish = std::getenv("OMP_NUM_THREADS");
  const int threads = wish ? std::atoi(wish) : 0;
  if (threads > 0) return threads;
  const unsigned processors = std::thread::hardware_concurrency();
  return processors ? static_cast<int>(processors) : 1;
}
