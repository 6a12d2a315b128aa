/*
 * gemm_sums with tile registers (AMX). A tile of A is 16 rows of 32 depths, read in place; one of B is 16 pairs of depths and
 * 16 columns, as packed; one of C is 16 x 16 floats. Two of A times two of B fill four of C, so that each one read is
 * multiplied twice. The instruction rounds like a multiplication and an addition in float, flushes denormals, and adds the
 * products of a pair's first and second numbers apart.
 */
#ifndef TARN_GEMM_TILES_H
#define TARN_GEMM_TILES_H

#define TILE_SIDE 16
#define TILE_DEPTH 32
/* the registers; intrinsics want them as numbers */
#define C00 0
#define C01 1
#define C10 2
#define C11 3
#define A0 4
#define A1 5
#define B0 6
#define B1 7
/* The intrinsics do not tell the compiler what memory they read. */
#define MEMORY_BARRIER() __asm__ volatile("" ::: "memory")

/* Palette 1: bytes of a row, and rows, of each register. */
typedef struct {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} gemm_configuration;

/* Sets the heights of the two tiles of A and of C's rows; what the registers hold is lost. */
static void gemm_configure(int64_t rows) {
    gemm_configuration c = {.palette = 1};
    for (int i = 0; i < 8; i++) {
        c.row_bytes[i] = 64;
    }
    c.rows[C00] = c.rows[C01] = c.rows[A0] = (uint8_t)tarn_min(rows, TILE_SIDE);
    c.rows[C10] = c.rows[C11] = c.rows[A1] = (uint8_t)tarn_max(rows - TILE_SIDE, 1);
    c.rows[B0] = c.rows[B1] = TILE_SIDE;
    __asm__ volatile("" ::"r"(&c) : "memory");
    _tile_loadconfig(&c);
}

/* Before the first product of a kernel call, and after the last: idle registers would cost every switch of threads. */
static inline void gemm_open(void) { gemm_configure(TILE_ROWS); }
static inline void gemm_close(void) { _tile_release(); }

static inline __attribute__((always_inline)) void gemm_multiply(
        const gemm_pairs *t, float *sums, const int two_rows, const int two_columns) {
    const int64_t a_bytes = t->pitch * (int64_t)sizeof(element), b_bytes = 2 * t->lanes * (int64_t)sizeof(element);
    const element *a0 = t->a, *a1 = t->a + TILE_SIDE * t->pitch, *b = t->b;
    MEMORY_BARRIER();
    _tile_zero(C00);
    _tile_zero(C01);
    _tile_zero(C10);
    _tile_zero(C11);
    for (int64_t p = 0; p < t->depth; p += TILE_DEPTH, b += TILE_DEPTH * t->lanes) {
        _tile_loadd(B0, b, b_bytes);
        _tile_loadd(A0, a0 + p, a_bytes);
        _tile_dpbf16ps(C00, A0, B0);
        if (two_columns) {
            _tile_loadd(B1, b + 2 * TILE_SIDE, b_bytes);
            _tile_dpbf16ps(C01, A0, B1);
        }
        if (two_rows) {
            _tile_loadd(A1, a1 + p, a_bytes);
            _tile_dpbf16ps(C10, A1, B0);
        }
        if (two_rows && two_columns) {
            _tile_dpbf16ps(C11, A1, B1);
        }
    }
    const int64_t bytes = t->lanes * (int64_t)sizeof(float);
    _tile_stored(C00, sums, bytes);
    if (two_columns) {
        _tile_stored(C01, sums + TILE_SIDE, bytes);
    }
    if (two_rows) {
        _tile_stored(C10, sums + TILE_SIDE * t->lanes, bytes);
    }
    if (two_rows && two_columns) {
        _tile_stored(C11, sums + TILE_SIDE * t->lanes + TILE_SIDE, bytes);
    }
}

static inline void gemm_sums(const gemm_pairs *t, int64_t rows, float *sums) {
    const int two_rows = rows > TILE_SIDE, two_columns = t->lanes > TILE_SIDE;
    if (rows < TILE_ROWS) {
        gemm_configure(rows);
    }
    if (two_rows && two_columns) {
        gemm_multiply(t, sums, 1, 1);
    } else if (two_rows) {
        gemm_multiply(t, sums, 1, 0);
    } else if (two_columns) {
        gemm_multiply(t, sums, 0, 1);
    } else {
        gemm_multiply(t, sums, 0, 0);
    }
    if (rows < TILE_ROWS) {
        gemm_configure(TILE_ROWS);
    }
}

#endif
