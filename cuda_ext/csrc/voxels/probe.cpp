// Asks the processor, before any code that needs its newer instructions is loaded. Compiled for the oldest one.
#include "api.h"

extern "C" MEDSEGAN_API int medsegan_processor_is_supported() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
#else
  return 1;
#endif
}
