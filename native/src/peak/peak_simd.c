/* Chains of multiply-adds in registers: twelve vectors at once hide the latency of two units that take four cycles. */
#include "peak/peak.h"
#include "simd/vec.h"

#define AT_ONCE 12

static int32_t fma_chains(const void *args, int64_t begin, int64_t end) {
    const tarn_fma_args *a = args;
    vec half = vec_set1(0.5f), one = vec_set1(1);
    for (int64_t i = begin * FMA_CHAINS; i < end * FMA_CHAINS; i += AT_ONCE * LANES) {
        float *output = (float *)a->output + i;
        for (int64_t j = 0; j < AT_ONCE * LANES; j++) {
            output[j] = (float)((i + j) % FMA_CHAINS);
        }
        vec x[AT_ONCE];
        for (int k = 0; k < AT_ONCE; k++) {
            x[k] = vec_load(output + k * LANES);
        }
        for (int64_t s = 0; s < a->steps; s++) {
#pragma GCC unroll 12
            for (int k = 0; k < AT_ONCE; k++) {
                x[k] = vec_fma(x[k], half, one);
            }
        }
        for (int k = 0; k < AT_ONCE; k++) {
            vec_store(output + k * LANES, x[k]);
        }
    }
    return TARN_OK;
}
VARIANT(fma_chains, fma, plan_fma, fma_chains);
