/*
 * Group normalisation with vectors over channels. Sums are in double, one for each channel, and wait in the first-level
 * cache while an image is read in order. A part is read twice, the second time from a cache if it fits there.
 */
#include <string.h>

#include "activation/vec_activation.h"
#include "groupnorm/groupnorm.h"
#include "simd/vec_rows.h"

/* Channels of a part, in an image that begins at element `image`. */
typedef struct {
    int64_t image, c, channels;
} span;

static span span_of(const tarn_groupnorm_args *a, groupnorm_part part) {
    const int64_t width = groupnorm_width(a);
    return (span){part.image * a->hw * a->c, part.first * width, (part.stop - part.first) * width};
}

static void clear_sums(const tarn_groupnorm_args *a) {
    memset(groupnorm_scratch(a, GROUPNORM_SUM), 0, 2 * (size_t)groupnorm_scratch_pitch(a) * sizeof(double));
}

static void fill(float *p, float x, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        p[i] = x;
    }
}

/* The sum of p[i], times w[i] where there are weights, in an order that n alone decides. */
static double total(const double *p, const float *w, int64_t n) {
    double lanes[LANES], sum = 0;
    wide sums = wide_zero();
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        sums = w ? wide_fma(wide_load(p + i), wide_load_upto(w + i, LANES), sums) : wide_add(sums, wide_load(p + i));
    }
    wide_store(lanes, sums);
    for (int64_t k = 0; k < LANES; k++) {
        sum += lanes[k];
    }
    for (; i < n; i++) {
        sum += w ? p[i] * w[i] : p[i];
    }
    return sum;
}

/* Adds `rows` pixels from element i on, of n <= LANES channels, to the sums of the part's channels from c on. */
typedef void adder(const tarn_groupnorm_args *a, int64_t i, int64_t rows, int64_t c, int64_t n);

ROWS_INLINE void sum_part(adder *add, const tarn_groupnorm_args *a, span s) {
    for (int64_t row = 0; row < a->hw; row += ROWS_TILE) {
        const int64_t i = s.image + row * a->c + s.c, tile = tarn_min(ROWS_TILE, a->hw - row);
        int64_t c = 0;
        if (tile == ROWS_TILE) {
            for (; c + LANES <= s.channels; c += LANES) {
                add(a, i + c, ROWS_TILE, c, LANES);
            }
        }
        for (; c < s.channels; c += LANES) {
            add(a, i + c, tile, c, tarn_min(LANES, s.channels - c));
        }
    }
}

/* Deviations from the group's first value, and their squares. */
ROWS_INLINE void add_deviations(const tarn_groupnorm_args *a, int64_t i, int64_t rows, int64_t c, int64_t n) {
    double *sums = (double *)groupnorm_scratch(a, GROUPNORM_SUM) + c;
    double *squares = (double *)groupnorm_scratch(a, GROUPNORM_PRODUCT) + c;
    const wide shift = wide_from(vec_load_upto((const float *)groupnorm_scratch(a, GROUPNORM_MEAN) + c, n));
    wide sum = wide_load(sums), square = wide_load(squares);
    for (int64_t r = 0; r < rows; r++, i += a->c) {
        const float *x = (const float *)a->input + i;
        rows_prefetch(x, a->c);
        const wide d = wide_sub(wide_load_upto(x, n), shift);
        sum = wide_add(sum, d);
        square = wide_fma(d, d, square);
    }
    wide_store(sums, sum);
    wide_store(squares, square);
}

/* Leaves mean and scale of each channel; in double the correction for the mean loses nothing that floats could show. */
static void forward_coefficients(const tarn_groupnorm_args *a, groupnorm_part part) {
    const int64_t width = groupnorm_width(a);
    const double count = (double)(a->hw * width);
    for (int64_t group = part.first; group < part.stop; group++) {
        const int64_t c = (group - part.first) * width;
        float *mean = (float *)groupnorm_scratch(a, GROUPNORM_MEAN) + c;
        float *scale = (float *)groupnorm_scratch(a, GROUPNORM_SCALE) + c;
        const double sum = total((double *)groupnorm_scratch(a, GROUPNORM_SUM) + c, NULL, width);
        const double square = total((double *)groupnorm_scratch(a, GROUPNORM_PRODUCT) + c, NULL, width);
        double var = (square - sum * (sum / count)) / count;
        var = var < 0 ? 0 : var; /* by rounding; a NaN stays */
        const double inv_std = 1 / sqrt(var + a->eps);
        fill(mean, (float)(*mean + sum / count), width);
        for (int64_t k = 0; k < width; k++) {
            scale[k] = (float)(((const float *)a->weight)[group * width + k] * inv_std);
        }
        if (a->mean) {
            ((float *)a->mean)[part.image * a->groups + group] = *mean;
            ((float *)a->inv_std)[part.image * a->groups + group] = (float)inv_std;
        }
    }
}

/* n <= LANES channels of a pixel, from channel c of the part on, which is element i. */
typedef void applier(const tarn_groupnorm_args *a, span s, int64_t i, int64_t c, int64_t n, const int stream);

ROWS_INLINE void apply_stored(applier *apply, const tarn_groupnorm_args *a, span s, const int stream) {
    for (int64_t row = 0; row < a->hw; row++) {
        const int64_t i = s.image + row * a->c + s.c;
        int64_t c = 0;
        for (; c + LANES <= s.channels; c += LANES) {
            apply(a, s, i + c, c, LANES, stream);
        }
        if (c < s.channels) {
            apply(a, s, i + c, c, s.channels - c, stream);
        }
    }
}

ROWS_INLINE void apply_part(applier *apply, const tarn_groupnorm_args *a, span s, const void *stored) {
    const int whole = vec_aligned(stored) && a->c % LANES == 0 && s.c % LANES == 0 && s.channels % LANES == 0;
    if (whole && a->n * a->hw * a->c * (int64_t)sizeof(float) >= ROWS_STREAM_BYTES) {
        apply_stored(apply, a, s, 1);
        vec_stream_end();
    } else {
        apply_stored(apply, a, s, 0);
    }
}

ROWS_INLINE void apply_forward(
        const tarn_groupnorm_args *a, span s, int64_t i, int64_t c, int64_t n, const int stream) {
    const vec mean = vec_load_upto((const float *)groupnorm_scratch(a, GROUPNORM_MEAN) + c, n);
    const vec scale = vec_load_upto((const float *)groupnorm_scratch(a, GROUPNORM_SCALE) + c, n);
    const vec bias = vec_load_upto((const float *)a->bias + s.c + c, n);
    const vec y = vec_fma(vec_sub(vec_load_upto((const float *)a->input + i, n), mean), scale, bias);
    rows_store((float *)a->output + i, vec_activate(ACTIVATION_OF(a), y), n, stream);
}

static void forward_part(const tarn_groupnorm_args *a, groupnorm_part part) {
    const span s = span_of(a, part);
    const int64_t width = groupnorm_width(a);
    float *shift = groupnorm_scratch(a, GROUPNORM_MEAN);
    for (int64_t c = 0; c < s.channels; c += width) {
        fill(shift + c, ((const float *)a->input)[s.image + s.c + c], width);
    }
    clear_sums(a);
    sum_part(add_deviations, a, s);
    forward_coefficients(a, part);
    apply_part(apply_forward, a, s, a->output);
}

static int32_t groupnorm_forward(const void *args, int64_t begin, int64_t end) {
    groupnorm_each(forward_part, args, begin, end);
    return TARN_OK;
}
VARIANT(groupnorm_forward, groupnorm, plan_groupnorm_forward, groupnorm_forward);

ROWS_INLINE void add_gradients(const tarn_groupnorm_args *a, int64_t i, int64_t rows, int64_t c, int64_t n) {
    double *sums = (double *)groupnorm_scratch(a, GROUPNORM_SUM) + c;
    double *products = (double *)groupnorm_scratch(a, GROUPNORM_PRODUCT) + c;
    const wide mean = wide_from(vec_load_upto((const float *)groupnorm_scratch(a, GROUPNORM_MEAN) + c, n));
    wide sum = wide_load(sums), product = wide_load(products);
    for (int64_t r = 0; r < rows; r++, i += a->c) {
        const float *x = (const float *)a->input + i, *grad_output = (const float *)a->grad_output + i;
        rows_prefetch(x, a->c);
        rows_prefetch(grad_output, a->c);
        const wide g = wide_load_upto(grad_output, n);
        sum = wide_add(sum, g);
        product = wide_fma(g, wide_sub(wide_load_upto(x, n), mean), product);
    }
    wide_store(sums, sum);
    wide_store(products, product);
}

/* Leaves what grad_input = scale * g + (mean - x) * slope - shift needs. */
static void backward_coefficients(const tarn_groupnorm_args *a, groupnorm_part part) {
    const int64_t width = groupnorm_width(a);
    const double count = (double)(a->hw * width);
    for (int64_t group = part.first; group < part.stop; group++) {
        const int64_t c = (group - part.first) * width;
        const float *weight = (const float *)a->weight + group * width;
        const double inv_std = ((const float *)a->inv_std)[part.image * a->groups + group];
        const double *sums = (double *)groupnorm_scratch(a, GROUPNORM_SUM) + c;
        const double *products = (double *)groupnorm_scratch(a, GROUPNORM_PRODUCT) + c;
        float *scale = (float *)groupnorm_scratch(a, GROUPNORM_SCALE) + c;
        for (int64_t k = 0; k < width; k++) {
            groupnorm_add_partial(a, part.image, group * width + k, products[k] * inv_std, sums[k]);
            scale[k] = (float)(weight[k] * inv_std);
        }
        const double slope = total(products, weight, width) / count * inv_std * inv_std * inv_std;
        fill((float *)groupnorm_scratch(a, GROUPNORM_SLOPE) + c, (float)slope, width);
        fill((float *)groupnorm_scratch(a, GROUPNORM_SHIFT) + c, (float)(total(sums, weight, width) / count * inv_std),
                width);
    }
}

ROWS_INLINE void apply_backward(
        const tarn_groupnorm_args *a, span s, int64_t i, int64_t c, int64_t n, const int stream) {
    (void)s;
    const vec mean = vec_load_upto((const float *)groupnorm_scratch(a, GROUPNORM_MEAN) + c, n);
    const vec scale = vec_load_upto((const float *)groupnorm_scratch(a, GROUPNORM_SCALE) + c, n);
    const vec slope = vec_load_upto((const float *)groupnorm_scratch(a, GROUPNORM_SLOPE) + c, n);
    const vec shift = vec_load_upto((const float *)groupnorm_scratch(a, GROUPNORM_SHIFT) + c, n);
    const vec d = vec_sub(mean, vec_load_upto((const float *)a->input + i, n));
    const vec g = vec_load_upto((const float *)a->grad_output + i, n);
    rows_store((float *)a->grad_input + i, vec_fma(scale, g, vec_sub(vec_mul(d, slope), shift)), n, stream);
}

static void backward_part(const tarn_groupnorm_args *a, groupnorm_part part) {
    const span s = span_of(a, part);
    const int64_t width = groupnorm_width(a);
    float *mean = groupnorm_scratch(a, GROUPNORM_MEAN);
    for (int64_t group = part.first; group < part.stop; group++) {
        const float of_group = ((const float *)a->mean)[part.image * a->groups + group];
        fill(mean + (group - part.first) * width, of_group, width);
    }
    clear_sums(a);
    sum_part(add_gradients, a, s);
    backward_coefficients(a, part);
    apply_part(apply_backward, a, s, a->grad_input);
}

static int32_t backward_parts(const void *args, int64_t begin, int64_t end) {
    groupnorm_each(backward_part, args, begin, end);
    return TARN_OK;
}
VARIANT(groupnorm_backward, groupnorm, plan_groupnorm_backward, backward_parts, groupnorm_backward_combine);
