/*
 * Group normalisation, defined. Y. Wu and K. He, "Group normalization" (2018). One group is layer normalisation (Ba,
 * Kiros and Hinton, 2016), as many groups as channels are instance normalisation (Ulyanov and others, 2016).
 */
#include "groupnorm/groupnorm.h"

/* output = act((input - mean) * inv_std * weight + bias), mean and biased variance of a group in two passes */
static void forward_part(const tarn_groupnorm_args *a, groupnorm_part part) {
    const int64_t width = groupnorm_width(a), image = part.image * a->hw * a->c;
    const real *x = (const real *)a->input + image, *weight = a->weight, *bias = a->bias;
    const double count = (double)(a->hw * width);
    for (int64_t group = part.first; group < part.stop; group++) {
        double sum = 0, squares = 0;
        for (int64_t i = group * width; i < a->hw * a->c; i += a->c) {
            for (int64_t k = i; k < i + width; k++) {
                sum += x[k];
            }
        }
        const double mean = sum / count;
        for (int64_t i = group * width; i < a->hw * a->c; i += a->c) {
            for (int64_t k = i; k < i + width; k++) {
                squares += (x[k] - mean) * (x[k] - mean);
            }
        }
        const double inv_std = 1 / sqrt(squares / count + a->eps);
        if (a->mean) {
            ((real *)a->mean)[part.image * a->groups + group] = (real)mean;
            ((real *)a->inv_std)[part.image * a->groups + group] = (real)inv_std;
        }
        for (int64_t i = 0; i < a->hw; i++) {
            for (int64_t c = group * width; c < (group + 1) * width; c++) {
                const real y = (x[i * a->c + c] - (real)mean) * (real)(weight[c] * inv_std) + bias[c];
                ((real *)a->output)[image + i * a->c + c] = activate(ACTIVATION_OF(a), y);
            }
        }
    }
}

static int32_t groupnorm_forward(const void *args, int64_t begin, int64_t end) {
    groupnorm_each(forward_part, args, begin, end);
    return TARN_OK;
}
VARIANT(groupnorm_forward, groupnorm, plan_groupnorm_forward, groupnorm_forward);

/*
 * Phase 0: with g = grad_output and xhat = (input - mean) * inv_std,
 * grad_input = inv_std * (weight * g - mean(weight * g) - xhat * mean(weight * g * xhat)), means over a group
 */
static void backward_part(const tarn_groupnorm_args *a, groupnorm_part part) {
    const int64_t width = groupnorm_width(a), image = part.image * a->hw * a->c;
    const real *x = (const real *)a->input + image, *g = (const real *)a->grad_output + image, *weight = a->weight;
    const double count = (double)(a->hw * width);
    for (int64_t group = part.first; group < part.stop; group++) {
        const double mean = ((const real *)a->mean)[part.image * a->groups + group];
        const double inv_std = ((const real *)a->inv_std)[part.image * a->groups + group];
        double mean_g = 0, mean_gx = 0;
        for (int64_t c = group * width; c < (group + 1) * width; c++) {
            double sum = 0, product = 0;
            for (int64_t i = c; i < a->hw * a->c; i += a->c) {
                sum += g[i];
                product += g[i] * (x[i] - mean);
            }
            groupnorm_add_partial(a, part.image, c, product * inv_std, sum);
            mean_g += weight[c] * sum / count;
            mean_gx += weight[c] * product * inv_std / count;
        }
        for (int64_t i = 0; i < a->hw; i++) {
            for (int64_t c = group * width; c < (group + 1) * width; c++) {
                const double xhat = (x[i * a->c + c] - mean) * inv_std;
                const double wanted = weight[c] * (double)g[i * a->c + c] - mean_g - xhat * mean_gx;
                ((real *)a->grad_input)[image + i * a->c + c] = (real)(inv_std * wanted);
            }
        }
    }
}

static int32_t backward_parts(const void *args, int64_t begin, int64_t end) {
    groupnorm_each(backward_part, args, begin, end);
    return TARN_OK;
}
VARIANT(groupnorm_backward, groupnorm, plan_groupnorm_backward, backward_parts, groupnorm_backward_combine);
