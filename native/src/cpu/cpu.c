/* Detects once what this processor can run. The compiler's check asks CPUID and the operating system's saved-state mask. */
#include "tarn.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#if defined(__x86_64__)
/* Whether the processor multiplies tiles of bf16, and the system saves them and gives them to this process. */
static int has_tiles(void) {
#if defined(__linux__) && defined(SYS_arch_prctl)
    enum { TILE = 1 << 24, TILE_BF16 = 1 << 22 };  /* CPUID 7.0 EDX */
    enum { OSXSAVE = 1 << 27 };                    /* CPUID 1 ECX */
    enum { TILE_STATE = 3 << 17 };                 /* XCR0: configuration and data */
    enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 };
    unsigned a, b, c, d, state;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & OSXSAVE) || !__get_cpuid_count(7, 0, &a, &b, &c, &d)
        || !(d & TILE) || !(d & TILE_BF16)) {
        return 0;
    }
    __asm__("xgetbv" : "=a"(state), "=d"(d) : "c"(0));
    return (state & TILE_STATE) == TILE_STATE && syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
#else
    return 0;
#endif
}
#endif

int32_t tarn_cpu_level(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma")) {
        if (!__builtin_cpu_supports("avx512bf16")) {
            return TARN_AVX512;
        }
        return has_tiles() ? TARN_AMX : TARN_AVX512_BF16;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        return TARN_AVX2;
    }
#elif defined(__aarch64__)
    return TARN_NEON; /* part of every such processor */
#endif
    return TARN_BLAS;
}
