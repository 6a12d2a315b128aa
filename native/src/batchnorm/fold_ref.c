/* Folds batch normalisation into the weights before it, with g = bn_weight / deviation. Once for a session. */
#include "batchnorm/smoothed.h"
#include "rows.h"

static int32_t plan_fold(const void *args, tarn_plan *plan) {
    const tarn_fold_args *a = args;
    if (a->n < 0 || a->n > 1 || TARN_PRODUCT(a->rows, a->c) < 1 || !(a->eps >= 0 && isfinite(a->eps))
        || !SMOOTHED_VALID(a) || !a->weight || !a->bn_weight || !a->bn_bias || !a->mean || !a->var
        || !a->out_weight || !a->out_bias) {
        return TARN_BAD_ARGUMENT;
    }
    *plan = (tarn_plan){
        .tasks = {a->n, a->n * rows_blocks(a->rows, a->c)}, .shared = rows_pitch(a->c) * (int64_t)sizeof(double)};
    return TARN_OK;
}

static int32_t fold_bias(const void *args, int64_t begin, int64_t end) {
    const tarn_fold_args *a = args;
    const real *bias = a->bias, *bn_weight = a->bn_weight, *bn_bias = a->bn_bias, *mean = a->mean, *var = a->var;
    double *g = a->shared;
    for (int64_t c = 0; begin < end && c < a->c; c++) {
        g[c] = bn_weight[c] / smoothed_deviation(a->smoothed, var[c], a->eps);
        ((real *)a->out_bias)[c] = (real)(((bias ? (double)bias[c] : 0) - mean[c]) * g[c] + bn_bias[c]);
    }
    return TARN_OK;
}

static int32_t fold_weight(const void *args, int64_t begin, int64_t end) {
    const tarn_fold_args *a = args;
    const real *weight = a->weight;
    const double *g = a->shared;
    for (int64_t block = begin; block < end; block++) {
        int64_t first, stop;
        rows_range(block, a->rows, a->c, &first, &stop);
        for (int64_t i = first * a->c; i < stop * a->c; i++) {
            ((real *)a->out_weight)[i] = (real)(weight[i] * g[i % a->c]);
        }
    }
    return TARN_OK;
}
VARIANT(batchnorm_fold, fold, plan_fold, fold_bias, fold_weight);
