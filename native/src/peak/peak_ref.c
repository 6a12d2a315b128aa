/* Chains of multiply-adds, defined. */
#include "peak/peak.h"

static int32_t fma_chains(const void *args, int64_t begin, int64_t end) {
    const tarn_fma_args *a = args;
    for (int64_t i = begin * FMA_CHAINS; i < end * FMA_CHAINS; i++) {
        real x = (real)(i % FMA_CHAINS);
        for (int64_t s = 0; s < a->steps; s++) {
            x = x * (real)0.5 + 1;
        }
        ((real *)a->output)[i] = x;
    }
    return TARN_OK;
}
VARIANT(fma_chains, fma, plan_fma, fma_chains);
