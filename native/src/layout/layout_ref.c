/* Copies between tensors of other widths and orders, defined. Backward is the same operation the other way round. */
#include <string.h>

#include "layout/layout.h"

static int32_t copy_channels(const void *args, int64_t begin, int64_t end) {
    const tarn_channels_args *a = args;
    const element *input = (const element *)a->input + a->input_channel;
    element *output = (element *)a->output + a->output_channel;
    for (int64_t block = begin; block < end; block++) {
        int64_t r, stop;
        for (rows_range(block, a->n * a->hw, a->c, &r, &stop); r < stop; r++) {
            memcpy(output + r * a->output_pitch, input + r * a->input_pitch, (size_t)a->c * sizeof(element));
        }
    }
    return TARN_OK;
}
VARIANT(copy_channels, channels, plan_copy_channels, copy_channels);

/* As copy_channels, and every other channel of output becomes zero. The C library's copies are as fast as vectors of ours. */
static int32_t pad_channels(const void *args, int64_t begin, int64_t end) {
    const tarn_channels_args *a = args;
    int64_t after = a->output_pitch - a->output_channel - a->c;
    const element *input = (const element *)a->input + a->input_channel;
    for (int64_t block = begin; block < end; block++) {
        int64_t r, stop;
        for (rows_range(block, a->n * a->hw, a->c, &r, &stop); r < stop; r++) {
            element *row = (element *)a->output + r * a->output_pitch;
            memset(row, 0, (size_t)a->output_channel * sizeof(element));
            memcpy(row + a->output_channel, input + r * a->input_pitch, (size_t)a->c * sizeof(element));
            memset(row + a->output_channel + a->c, 0, (size_t)after * sizeof(element));
        }
    }
    return TARN_OK;
}
VARIANT(pad_channels, channels, plan_copy_channels, pad_channels);

static int32_t transpose(const void *args, int64_t begin, int64_t end) {
    const tarn_transpose_args *a = args;
    for (int64_t task = begin; task < end; task++) {
        const element *input;
        element *output;
        int64_t first, stop;
        transpose_band(a, task, &input, &output, &first, &stop);
        for (int64_t c = 0; c < a->cols; c++) {
            for (int64_t r = first; r < stop; r++) {
                output[c * a->rows + r] = input[r * a->cols + c];
            }
        }
    }
    return TARN_OK;
}
VARIANT(transpose, transpose, plan_transpose, transpose);
