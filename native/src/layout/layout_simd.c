/* Copies between tensors of other widths and orders with vectors. */
#include "layout/layout.h"
#include "simd/vec_element.h"
#include "simd/vec_transpose.h"

static int32_t copy_channels(const void *args, int64_t begin, int64_t end) {
    const tarn_channels_args *a = args;
    for (int64_t block = begin; block < end; block++) {
        int64_t r, stop;
        for (rows_range(block, a->n * a->hw, a->c, &r, &stop); r < stop; r++) {
            const element *from = (const element *)a->input + r * a->input_pitch + a->input_channel;
            element *to = (element *)a->output + r * a->output_pitch + a->output_channel;
            int64_t c = 0;
            for (; c + ELEMENTS <= a->c; c += ELEMENTS) {
                elements_store(to + c, elements_load(from + c));
            }
            if (c < a->c) {
                elements_store_n(to + c, elements_load_n(from + c, a->c - c), a->c - c);
            }
        }
    }
    return TARN_OK;
}
VARIANT(copy_channels, channels, plan_copy_channels, copy_channels);

/* Transposes a tile of at most LANES by LANES; rows that it lacks are zero. */
static inline void transpose_tile(
        const element *from, int64_t from_pitch, element *to, int64_t to_pitch, int64_t rows, int64_t cols) {
    vec tile[LANES];
    for (int64_t r = 0; r < LANES; r++) {
        tile[r] = r < rows ? vec_get(from + r * from_pitch, cols) : vec_zero();
    }
    vec_transpose(tile);
    for (int64_t c = 0; c < LANES; c++) {
        if (c < cols) {
            vec_put(to + c * to_pitch, tile[c], rows);
        }
    }
}

static int32_t transpose(const void *args, int64_t begin, int64_t end) {
    const tarn_transpose_args *a = args;
    for (int64_t task = begin; task < end; task++) {
        const element *input;
        element *output;
        int64_t first, stop;
        transpose_band(a, task, &input, &output, &first, &stop);
        for (int64_t c = 0; c < a->cols; c += LANES) {
            int64_t cols = tarn_min(LANES, a->cols - c);
            for (int64_t r = first; r < stop; r += LANES) {
                int64_t rows = tarn_min(LANES, stop - r);
                const element *from = input + r * a->cols + c;
                element *to = output + c * a->rows + r;
                if (rows == LANES && cols == LANES) {
                    transpose_tile(from, a->cols, to, a->rows, LANES, LANES);
                } else {
                    transpose_tile(from, a->cols, to, a->rows, rows, cols);
                }
            }
        }
    }
    return TARN_OK;
}
VARIANT(transpose, transpose, plan_transpose, transpose);
