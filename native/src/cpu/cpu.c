/* Detects once what this processor can run. The compiler's check asks CPUID and the operating system's saved-state mask. */
#include "tarn.h"

int32_t tarn_cpu_level(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma")) {
        return TARN_AVX512;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        return TARN_AVX2;
    }
#endif
    return TARN_BLAS;
}
