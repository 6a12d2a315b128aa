/*
 * What Winograd's algorithm may err, from the definition of its matrices, which are made here from the interpolation
 * points alone.
 *
 * Every rounding multiplies one term by 1 + d, |d| <= u. An output is a sum over all (weight, pixel) pairs that meet in
 * its tile, each passing a chain of roundings, and Higham's lemma bounds the error of such a sum by gamma_L times the
 * sum of the absolute terms, where L is the longest chain. With absolute values taken element by element the latter is
 *
 *   S = |A^T| [ sum over channels of (|G| |g| |G^T|) . (|B^T| |d| |B|) ] |A|
 *
 * L is the sum over channels, and for each of the two passes of a transform, with the rounding of its constants: 3 for the
 * input, 4 for the weights, 4 for the output; and 2 for bias and residual. The gradient of the weights is the transposed map,
 *
 *   S = |G^T| [ sum over tiles of (|A| |dY| |A^T|) . (|B^T| |d| |B|) ] |G|
 *
 * where L is the sum over tiles, in any grouping, with as many roundings to either side: 3 for the gradient of the output, 4
 * back to the weights; and 1 for what it is added to.
 */
#ifndef TARN_WINOGRAD_BOUND_H
#define TARN_WINOGRAD_BOUND_H

#include "check.h"

#define WINOGRAD_ROUNDINGS (2 * (3 + 4 + 4) + 2)
#define WINOGRAD_MAX_POINTS 6

/* Absolute values of the matrices of F(m x m, 3x3), a row for each point; the last point is infinity. */
typedef struct {
    int64_t m, points;
    double a[WINOGRAD_MAX_POINTS][4], g[WINOGRAD_MAX_POINTS][3], b[WINOGRAD_MAX_POINTS][WINOGRAD_MAX_POINTS];
} winograd_matrices;

static inline winograd_matrices winograd_matrices_of(int64_t m) {
    const double r = sqrt(0.5), four[] = {0, r, -r, 2 * r, -2 * r}, two[] = {0, 1, -1};
    const double *point = m == 4 ? four : two;
    winograd_matrices w = {.m = m, .points = m + 2};
    for (int64_t k = 0; k <= m + 1; k++) {
        double divisor = 1, product[WINOGRAD_MAX_POINTS] = {1}; /* of x - point, for all points but k */
        for (int64_t i = 0, degree = 0; i <= m; i++) {
            if (i == k) {
                continue;
            }
            degree++;
            for (int64_t j = degree; j > 0; j--) {
                product[j] = product[j - 1] - point[i] * product[j];
            }
            product[0] *= -point[i];
            divisor *= k <= m ? point[k] - point[i] : 1;
        }
        for (int64_t i = 0; i < m + 2; i++) {
            w.b[k][i] = fabs(product[i]);
        }
        for (int64_t i = 0; i < m; i++) {
            w.a[k][i] = k <= m ? fabs(pow(point[k], (double)i)) : i == m - 1;
        }
        for (int64_t i = 0; i < 3; i++) {
            w.g[k][i] = k <= m ? fabs(pow(point[k], (double)i) / divisor) : i == 2;
        }
    }
    return w;
}

/* Tile i along an axis: as few of m pixels as can be, the last ones a pixel shorter, so that they end where it ends. */
typedef struct {
    int64_t begin, end;
} winograd_extent;

static inline winograd_extent winograd_extent_of(int64_t axis, int64_t m, int64_t i) {
    const int64_t tiles = (axis + m - 1) / m, whole = axis > tiles * (m - 1) ? axis - tiles * (m - 1) : 0;
    const int64_t begin = i < whole ? i * m : whole + i * (m - 1), end = begin + (i < whole ? m : m - 1);
    return (winograd_extent){begin, end < axis ? end : axis};
}

/* A convolution by its tiles: source (n, h, w, ic) to (n, oh, ow, oc) with windows (3, 3, ic, oc). */
typedef struct {
    int64_t n, h, w, ic, oh, ow, oc, pt, pl;
    const double *source, *weight;
} winograd_case;

/* S of one tile, from U = |G||g||G^T|: (point, point, ic, oc). products has room for (point, point, oc). */
static inline void winograd_tile_terms(const winograd_case *s, const winograd_matrices *w, const double *u, int64_t n,
        winograd_extent ty, winograd_extent tx, double *products, double *terms) {
    const int64_t y = ty.begin, x = tx.begin, planes = w->points * w->points;
    memset(products, 0, (size_t)(planes * s->oc) * sizeof(double));
    for (int64_t c = 0; c < s->ic; c++)
    for (int64_t plane = 0; plane < planes; plane++) {
        double v = 0;
        for (int64_t i = 0; i < w->points; i++)
        for (int64_t j = 0; j < w->points; j++) {
            const int64_t iy = y - s->pt + i, ix = x - s->pl + j;
            if (iy >= 0 && iy < s->h && ix >= 0 && ix < s->w) {
                v += w->b[plane / w->points][i] * w->b[plane % w->points][j]
                        * fabs(s->source[((n * s->h + iy) * s->w + ix) * s->ic + c]);
            }
        }
        for (int64_t o = 0; o < s->oc; o++) {
            products[plane * s->oc + o] += v * u[(plane * s->ic + c) * s->oc + o];
        }
    }
    for (int64_t i = 0; y + i < ty.end; i++)
    for (int64_t j = 0; x + j < tx.end; j++)
    for (int64_t plane = 0; plane < planes; plane++)
    for (int64_t o = 0; o < s->oc; o++) {
        terms[((n * s->oh + y + i) * s->ow + x + j) * s->oc + o] += w->a[plane / w->points][i]
                * w->a[plane % w->points][j] * products[plane * s->oc + o];
    }
}

/* S of every element, for tiles of m x m. */
static inline double *winograd_terms(const winograd_case *s, int64_t m) {
    const winograd_matrices w = winograd_matrices_of(m);
    const int64_t windows = s->ic * s->oc, count = s->n * s->oh * s->ow * s->oc;
    double *u = check_alloc_reals(TARN_F64, w.points * w.points * windows), *terms = check_alloc_reals(TARN_F64, count);
    for (int64_t k = 0; k < w.points; k++)
    for (int64_t l = 0; l < w.points; l++)
    for (int64_t c = 0; c < windows; c++) {
        double sum = 0;
        for (int64_t t = 0; t < 9; t++) {
            sum += w.g[k][t / 3] * w.g[l][t % 3] * fabs(s->weight[t * windows + c]);
        }
        u[(k * w.points + l) * windows + c] = sum;
    }
    double *products = check_alloc_reals(TARN_F64, w.points * w.points * s->oc);
    memset(terms, 0, (size_t)count * sizeof(double));
    for (int64_t n = 0; n < s->n; n++)
    for (int64_t y = 0; y < (s->oh + m - 1) / m; y++)
    for (int64_t x = 0; x < (s->ow + m - 1) / m; x++) {
        winograd_tile_terms(
                s, &w, u, n, winograd_extent_of(s->oh, m, y), winograd_extent_of(s->ow, m, x), products, terms);
    }
    return terms;
}

/* |M| |x| |M^T|, rows and columns of M by point: at point (k, l), of a side x side tile, row by row. */
static inline double winograd_spread(const double *m, int64_t pitch, const double *x, int64_t side, int64_t k, int64_t l) {
    double sum = 0;
    for (int64_t i = 0; i < side; i++)
    for (int64_t j = 0; j < side; j++) {
        sum += m[k * pitch + i] * m[l * pitch + j] * x[i * side + j];
    }
    return sum;
}

/* Absolute values of a tile from (y, x) of one channel, zero outside of an image (h, w, channels) and beyond (end_y, end_x). */
static inline void winograd_cut(const double *image, int64_t h, int64_t w, int64_t channels, int64_t y, int64_t x,
        int64_t end_y, int64_t end_x, int64_t side, double *tile) {
    for (int64_t i = 0; i < side; i++)
    for (int64_t j = 0; j < side; j++) {
        const int inside = y + i >= 0 && y + i < h && y + i < end_y && x + j >= 0 && x + j < w && x + j < end_x;
        tile[i * side + j] = inside ? fabs(image[((y + i) * w + x + j) * channels]) : 0;
    }
}

/* S of the gradient of the weights, for tiles of m x m. */
static inline double *winograd_weight_terms(const winograd_case *s, const double *grad_output, int64_t m) {
    const winograd_matrices w = winograd_matrices_of(m);
    const int64_t windows = s->ic * s->oc, planes = w.points * w.points;
    double *u = check_alloc_reals(TARN_F64, planes * windows), *terms = check_alloc_reals(TARN_F64, 9 * windows);
    double *v = check_alloc_reals(TARN_F64, planes * s->ic), *d = check_alloc_reals(TARN_F64, planes * s->oc);
    double tile[WINOGRAD_MAX_POINTS * WINOGRAD_MAX_POINTS];
    memset(u, 0, (size_t)(planes * windows) * sizeof(double));
    memset(terms, 0, (size_t)(9 * windows) * sizeof(double));
    for (int64_t n = 0; n < s->n; n++)
    for (int64_t i = 0; i < (s->oh + m - 1) / m; i++)
    for (int64_t j = 0; j < (s->ow + m - 1) / m; j++) {
        const winograd_extent y = winograd_extent_of(s->oh, m, i), x = winograd_extent_of(s->ow, m, j);
        for (int64_t c = 0; c < s->ic; c++) {
            winograd_cut(s->source + n * s->h * s->w * s->ic + c, s->h, s->w, s->ic, y.begin - s->pt, x.begin - s->pl,
                    s->h, s->w, w.points, tile);
            for (int64_t plane = 0; plane < planes; plane++) {
                v[plane * s->ic + c] = winograd_spread(
                        w.b[0], WINOGRAD_MAX_POINTS, tile, w.points, plane / w.points, plane % w.points);
            }
        }
        for (int64_t o = 0; o < s->oc; o++) {
            winograd_cut(grad_output + n * s->oh * s->ow * s->oc + o, s->oh, s->ow, s->oc, y.begin, x.begin,
                    y.end, x.end, m, tile);
            for (int64_t plane = 0; plane < planes; plane++) {
                d[plane * s->oc + o] = winograd_spread(w.a[0], 4, tile, m, plane / w.points, plane % w.points);
            }
        }
        for (int64_t plane = 0; plane < planes; plane++)
        for (int64_t c = 0; c < s->ic; c++)
        for (int64_t o = 0; o < s->oc; o++) {
            u[plane * windows + c * s->oc + o] += v[plane * s->ic + c] * d[plane * s->oc + o];
        }
    }
    for (int64_t t = 0; t < 9; t++)
    for (int64_t plane = 0; plane < planes; plane++)
    for (int64_t c = 0; c < windows; c++) {
        terms[t * windows + c] += w.g[plane / w.points][t / 3] * w.g[plane % w.points][t % 3] * u[plane * windows + c];
    }
    return terms;
}

/* S of the gradient of the input: the same convolution with windows turned round and channels exchanged. */
static inline double *winograd_turned_terms(const winograd_case *forward, const double *grad_output, int64_t m) {
    const winograd_case *f = forward;
    double *turned = check_alloc_reals(TARN_F64, 9 * f->ic * f->oc);
    for (int64_t t = 0; t < 9; t++)
    for (int64_t c = 0; c < f->ic; c++)
    for (int64_t o = 0; o < f->oc; o++) {
        turned[((8 - t) * f->oc + o) * f->ic + c] = f->weight[(t * f->ic + c) * f->oc + o];
    }
    const winograd_case backward = {
        f->n, f->oh, f->ow, f->oc, f->h, f->w, f->ic, 2 - f->pt, 2 - f->pl, grad_output, turned};
    return winograd_terms(&backward, m);
}

#endif
