/*
 * Matrix product C (+)= A B out of register tiles, for one thread. B comes packed in panels of NR columns, or wider; A is read in
 * place, by rows (C = A B) or, where the including file sets GEMM_TRANSPOSED to 1, by columns (C = A^T B). Every
 * element of C is one chain of fused multiply-adds over the depth in ascending order, whatever the tile it falls in and
 * however the depth is cut, so results do not depend on blocking.
 */
#ifndef TARN_GEMM_H
#define TARN_GEMM_H

#include "activation/vec_activation.h"
#include "gemm/panel.h"

#ifndef GEMM_TRANSPOSED
#define GEMM_TRANSPOSED 0
#endif

/* 1: panels may be as wide as WIDE_VECTORS. */
#ifndef GEMM_WIDE
#define GEMM_WIDE 0
#endif
#define MOST_VECTORS (GEMM_WIDE ? WIDE_VECTORS : TILE_VECTORS)

/* What a lane of the panel does with the number of A that is broadcast to it. */
#ifndef GEMM_FMA
#define GEMM_FMA vec_fma
#endif

/* The tiles of a panel so many vectors wide, as high as the register file allows: rows, vectors. */
#if GEMM_WIDE && MR == 14
#define GEMM_WIDTHS(X) X(14, 1) X(14, 2) X(9, 3) X(6, 4)
#elif MR == 14
#define GEMM_WIDTHS(X) X(14, 1) X(14, 2)
#elif MR == 12
#define GEMM_WIDTHS(X) X(12, 1) X(12, 2)
#elif MR == 6 && TILE_VECTORS == 4
#define GEMM_WIDTHS(X) X(6, 1) X(6, 2) X(6, 3) X(6, 4)
#elif MR == 6
#define GEMM_WIDTHS(X) X(6, 1) X(6, 2)
#elif TILE_VECTORS == 4
#define GEMM_WIDTHS(X) X(4, 1) X(4, 2) X(4, 3) X(4, 4)
#else
#define GEMM_WIDTHS(X) X(4, 1) X(4, 2)
#endif

/* What is done to a finished sum: + bias, + residual, act. Null and 0: nothing. */
typedef struct {
    const float *bias;      /* by column */
    const float *residual;  /* at the offsets of C */
    activation activation;
} gemm_epilogue;

/* Rows of A times one panel of B: tiles of one height, one below the other. */
typedef struct {
    const float *a;        /* row i, depth p: a[i*pitch + p], or transposed a[p*pitch + i] */
    int64_t pitch;
    const float *b;        /* depth p, column j: b[p * lanes of the tile + j], zero beyond the matrix */
    int64_t depth;         /* of one run: A's depths lie in runs, run_pitch apart */
    int64_t runs, run_pitch;
    float *c;              /* row i, column j: c[at + rows[i] + j] */
    int64_t at;            /* 0 at first: tiles move it past their rows where those are not listed */
    const int64_t *rows;   /* or null: they lie row_pitch apart */
    int64_t row_pitch;
    int64_t columns;       /* of this panel: at most its lanes */
    int64_t accumulate;    /* 0: C starts at zero */
    int64_t stream;        /* 1: C goes to memory, past the caches; its rows are aligned, where panels are whole */
    const float *next;     /* what is used next is fetched from here on by all tiles, or null */
    int64_t next_step;     /* floats of it with each step of the depth */
    const gemm_epilogue *epilogue; /* or null: the sum goes on, or needs nothing */
} gemm_strip;

/*
 * Rows at a constant distance are addressed from one base for five of them (x86 scales an index by 1, 2 and 4, and a
 * second register holds 3 times the distance). The bases and distances are hidden from the optimiser, which would keep
 * a pointer for each row, and spill most of them.
 */
#define HIDE(x) __asm__("" : "+r"(x))
#define ROWS_OF_BASE 5
#define CACHE_LINE 16 /* floats */

/* Where row i of A is, at the depth that the bases have reached. */
static inline __attribute__((always_inline)) const char *gemm_row(
        const char *const *base, int64_t once, int64_t thrice, int i) {
    if (GEMM_TRANSPOSED) {
        return base[0] + i * (int64_t)sizeof(float);
    }
    const int r = i % ROWS_OF_BASE;
    return base[i / ROWS_OF_BASE] + (r == 3 ? thrice : r * once);
}

/* One number of A, which may begin at any even address: in BF16 it is a pair. */
static inline __attribute__((always_inline)) vec gemm_broadcast(const char *p) {
    float x;
    memcpy(&x, p, sizeof x);
    return vec_set1(x);
}

static inline __attribute__((always_inline)) vec gemm_load(const float *p, int64_t n) {
    return n == LANES ? vec_load(p) : vec_load_n(p, n);
}

static inline __attribute__((always_inline)) void gemm_store(float *p, vec x, int64_t n) {
    if (n == LANES) {
        vec_store(p, x);
    } else {
        vec_store_n(p, x, n);
    }
}

#define GEMM_EACH_SUM(statement) \
    _Pragma("GCC unroll 16") for (int i = 0; i < m; i++) { \
        _Pragma("GCC unroll 4") for (int j = 0; j < vectors; j++) { \
            statement; \
        } \
    }

/* A tile of a strip: where its rows of A begin, and those of C. Returns what the next tile fetches. */
static inline __attribute__((always_inline)) const float *gemm_run_tile(const gemm_strip *t, const float *a,
        const int64_t *rows, const float *next, const int m, const int vectors) {
    float *const c = t->c + t->at;
    vec acc[MR][MOST_VECTORS];
    const int64_t tail = t->columns - (vectors - 1) * LANES; /* lanes of the last vector that belong to C */
#define LANES_OF(j) (j < vectors - 1 ? LANES : tail)
    const int whole = tail == LANES;
    if (!t->accumulate) {
        GEMM_EACH_SUM(acc[i][j] = vec_zero_apart())
    } else if (whole) {
        GEMM_EACH_SUM(acc[i][j] = vec_load(c + rows[i] + j * LANES))
    } else {
        GEMM_EACH_SUM(acc[i][j] = gemm_load(c + rows[i] + j * LANES, LANES_OF(j)))
    }
    /* A store waits for its line, and later ones wait for it: lines are fetched while the sums are made. */
    const gemm_epilogue *e = t->epilogue;
    for (int64_t i = 0; i < m && !t->accumulate && !t->stream; i++) {
#pragma GCC unroll 4
        for (int j = 0; j < vectors; j += CACHE_LINE / LANES) {
            vec_prefetch_write(c + rows[i] + j * LANES);
        }
    }
    for (int64_t i = 0; i < m && e && e->residual; i++) {
#pragma GCC unroll 4
        for (int j = 0; j < vectors; j += CACHE_LINE / LANES) {
            vec_prefetch(e->residual + t->at + rows[i] + j * LANES);
        }
    }
    int64_t once = t->pitch * (int64_t)sizeof(float), thrice = 3 * once;
    const char *base[(MR + ROWS_OF_BASE - 1) / ROWS_OF_BASE];
    HIDE(once);
    HIDE(thrice);
#pragma GCC unroll 4
    for (int i = 0; i * ROWS_OF_BASE < m; i++) {
        base[i] = (const char *)(a + (GEMM_TRANSPOSED ? 0 : i * ROWS_OF_BASE * t->pitch));
        HIDE(base[i]);
    }
    const float *b = t->b;
    const int64_t next_step = t->next_step;
    int64_t next_run = (t->run_pitch - t->depth) * (int64_t)sizeof(float);
    for (int64_t run = 0; run < t->runs; run++) {
#pragma GCC unroll 4
        for (int64_t q = 0; q < t->depth; q++) {
            vec bv[MOST_VECTORS];
#pragma GCC unroll 4
            for (int j = 0; j < vectors; j++) {
                bv[j] = vec_load(b + j * LANES);
            }
            b += vectors * LANES;
            vec_prefetch(next);
            next += next_step;
#pragma GCC unroll 16
            for (int i = 0; i < m; i++) {
                const vec av = gemm_broadcast(gemm_row(base, once, thrice, i));
#pragma GCC unroll 4
                for (int j = 0; j < vectors; j++) {
                    acc[i][j] = GEMM_FMA(av, bv[j], acc[i][j]);
                }
            }
#pragma GCC unroll 4
            for (int i = 0; i * ROWS_OF_BASE < m; i++) {
                base[i] += GEMM_TRANSPOSED ? once : (int64_t)sizeof(float);
            }
        }
#pragma GCC unroll 4
        for (int i = 0; i * ROWS_OF_BASE < m && !GEMM_TRANSPOSED; i++) {
            base[i] += next_run;
        }
    }
    /* One pass for each part of the epilogue: a branch around each is cheaper than one for each combination. */
    if (e && e->bias) {
#pragma GCC unroll 4
        for (int j = 0; j < vectors; j++) {
            const vec bias = gemm_load(e->bias + j * LANES, LANES_OF(j));
#pragma GCC unroll 16
            for (int i = 0; i < m; i++) {
                acc[i][j] = vec_add(acc[i][j], bias);
            }
        }
    }
    if (e && e->residual) {
        const float *residual = e->residual + t->at;
        GEMM_EACH_SUM(acc[i][j] = vec_add(acc[i][j], gemm_load(residual + rows[i] + j * LANES, LANES_OF(j))))
    }
    if (e && e->activation.kind > TARN_RELU6) {
        vec sums[MR * TILE_VECTORS]; /* as many as fit registers, whatever the width */
        GEMM_EACH_SUM(sums[i * vectors + j] = acc[i][j])
        vec_activate_each(e->activation, sums, m * vectors);
        GEMM_EACH_SUM(acc[i][j] = sums[i * vectors + j])
    } else if (e && e->activation.kind != TARN_IDENTITY) {
        GEMM_EACH_SUM(acc[i][j] = vec_relu(acc[i][j]))
        if (e->activation.kind == TARN_RELU6) {
            GEMM_EACH_SUM(acc[i][j] = vec_min6(acc[i][j]))
        }
    }
    if (t->stream && whole) {
        GEMM_EACH_SUM(vec_stream(c + rows[i] + j * LANES, acc[i][j]))
    } else if (whole) {
        GEMM_EACH_SUM(vec_store(c + rows[i] + j * LANES, acc[i][j]))
    } else {
        GEMM_EACH_SUM(gemm_store(c + rows[i] + j * LANES, acc[i][j], LANES_OF(j)))
    }
    return next;
}

/* Tiles one below the other; the strip then begins behind them. */
static inline __attribute__((always_inline)) void gemm_run_tiles(
        gemm_strip *s, int64_t tiles, const int m, const int vectors) {
    const float *a = s->a, *next = s->next ? s->next : s->b;
    int64_t offsets[MR];
    const int64_t *rows = s->rows ? s->rows : offsets;
    for (int64_t i = 0; i < m && !s->rows; i++) {
        offsets[i] = i * s->row_pitch;
    }
    const int64_t a_step = GEMM_TRANSPOSED ? m : m * s->pitch, rows_step = s->rows ? m : 0;
    const int64_t c_step = s->rows ? 0 : m * s->row_pitch;
    for (; tiles > 0; tiles--, a += a_step, s->at += c_step, rows += rows_step) {
        next = gemm_run_tile(s, a, rows, next, m, vectors);
    }
    s->a = a;
    s->rows = s->rows ? rows : NULL;
    s->next = next;
}

/* One function for each height and width, so that the rest of a matrix costs what it has. */
#define GEMM_4(X, v) X(1, v) X(2, v) X(3, v) X(4, v)
#define GEMM_6(X, v) GEMM_4(X, v) X(5, v) X(6, v)
#define GEMM_9(X, v) GEMM_6(X, v) X(7, v) X(8, v) X(9, v)
#define GEMM_12(X, v) GEMM_9(X, v) X(10, v) X(11, v) X(12, v)
#define GEMM_14(X, v) GEMM_12(X, v) X(13, v) X(14, v)
#define GEMM_TILES(m, v) static void gemm_tiles_##m##_##v(gemm_strip *s, int64_t n) { gemm_run_tiles(s, n, m, v); }
#define GEMM_NAME(m, v) [m - 1][v - 1] = gemm_tiles_##m##_##v,
#define GEMM_FUNCTIONS(rows, v) GEMM_##rows(GEMM_TILES, v)
#define GEMM_NAMES(rows, v) GEMM_##rows(GEMM_NAME, v)
#define GEMM_ROWS(rows, v) rows,
GEMM_WIDTHS(GEMM_FUNCTIONS)

/* [height - 1][vectors - 1], and the greatest height of each width */
static void (*const gemm_tiles[MR][MOST_VECTORS])(gemm_strip *, int64_t) = {GEMM_WIDTHS(GEMM_NAMES)};
static const int64_t gemm_rows[MOST_VECTORS] = {GEMM_WIDTHS(GEMM_ROWS)};

/* Of so many rows of a strip. */
static inline int64_t gemm_tile_count(const gemm_strip *s, int64_t rows) {
    return tarn_ceil_div(rows, gemm_rows[tarn_ceil_div(s->columns, LANES) - 1]);
}

/* So many rows of a strip, in tiles whose heights differ by one at most: 16 rows are two tiles of 8, not 14 and 2. */
static inline void gemm_multiply_rows(gemm_strip *s, int64_t rows) {
    const int64_t vectors = tarn_ceil_div(s->columns, LANES);
    for (int64_t tiles = gemm_tile_count(s, rows), run; tiles > 0; tiles -= run) {
        const int64_t height = tarn_ceil_div(rows, tiles);
        run = rows - (height - 1) * tiles;
        rows -= run * height;
        gemm_tiles[height - 1][vectors - 1](s, run);
    }
}

typedef struct {
    const float *a;
    int64_t pitch;          /* floats from a row of A, as it lies in memory, to the next */
    const float *b;         /* the panels: [panel][panel_depth][lanes] */
    int64_t panel_depth;    /* depth of the panels in memory */
    int64_t from, depth;    /* the product covers depths from .. from+depth of the panels; A begins at from */
    int64_t runs, run_pitch; /* so many runs of depth, run_pitch floats of A apart; 0: one */
    float *c;
    const int64_t *rows;    /* offset of each row of C; null: they lie row_pitch apart */
    int64_t row_pitch;
    int64_t row_count, columns;
    int64_t lines, line_pitch; /* so many times row_count rows, line_pitch floats of A apart; 0: once */
    int64_t width;          /* lanes of a panel; 0: NR */
    int64_t first_panel, end_panel;
    int64_t accumulate;
    int64_t cold;           /* 1: A comes from memory */
    const float *following; /* what the next product reads is fetched meanwhile: so many floats; or null */
    int64_t following_floats;
    int64_t stream;         /* 1: C goes to memory, past the caches; its rows are aligned */
    const gemm_epilogue *epilogue;
} gemm_product;

/*
 * What is fetched while a panel passes: its share of what the next product reads, if that is told; the rows of the next
 * tile, where A comes from memory and lies in one piece; else the next panel.
 */
static inline void gemm_set_next(const gemm_product *g, int64_t panel, gemm_strip *s) {
    const int64_t width = g->width ? g->width : NR, column = (panel + 1) * width;
    const int64_t tiles = gemm_tile_count(s, g->row_count) * tarn_max(1, g->lines);
    if (g->following) {
        const int64_t share = tarn_ceil_div(g->following_floats, g->end_panel - g->first_panel);
        s->next = g->following + (panel - g->first_panel) * share;
        s->next_step = tarn_ceil_div(share, tiles * g->depth);
    } else if (g->cold && panel == g->first_panel && g->pitch == g->depth) {
        s->next_step = tarn_ceil_div(g->row_count, tiles);
        s->next = g->a + s->next_step * g->pitch;
    } else if (panel + 1 < g->end_panel) {
        s->next_step = tarn_ceil_div(gemm_lanes(width, g->columns, column), tiles);
        s->next = g->b + g->panel_depth * column + g->from * gemm_lanes(width, g->columns, column);
    }
}

/*
 * One block of rows: panels outside, so that a panel is read from memory once and from near cache for the other tiles.
 */
static inline void gemm_block(const gemm_product *g) {
    const int64_t width = g->width ? g->width : NR;
    for (int64_t panel = g->first_panel; panel < g->end_panel && g->row_count > 0; panel++) {
        const int64_t column = panel * width, lanes = gemm_lanes(width, g->columns, column);
        gemm_epilogue epilogue;
        if (g->epilogue) {
            const gemm_epilogue *e = g->epilogue;
            epilogue = (gemm_epilogue){
                e->bias ? e->bias + column : NULL, e->residual ? e->residual + column : NULL, e->activation};
        }
        gemm_strip s = {
            .pitch = g->pitch,
            .b = g->b + g->panel_depth * column + g->from * lanes,
            .depth = g->depth,
            .runs = tarn_max(1, g->runs),
            .run_pitch = g->run_pitch,
            .c = g->c + column,
            .rows = g->rows,
            .row_pitch = g->row_pitch,
            .columns = tarn_min(lanes, g->columns - column),
            .accumulate = g->accumulate,
            .stream = g->stream,
            .epilogue = g->epilogue ? &epilogue : NULL,
        };
        gemm_set_next(g, panel, &s);
        for (int64_t line = 0; line < tarn_max(1, g->lines); line++) {
            s.a = g->a + line * g->line_pitch;
            gemm_multiply_rows(&s, g->row_count);
        }
    }
}

/* Packs a row of a panel: columns floats of a row of B, and zeros up to lanes. */
static inline void gemm_pack_row(float *packed, const float *row, int64_t columns, int64_t lanes) {
    int64_t j = 0;
    for (; j + LANES <= columns; j += LANES) {
        vec_store(packed + j, vec_load(row + j));
    }
    if (j < lanes) {
        vec_store(packed + j, j < columns ? vec_load_n(row + j, columns - j) : vec_zero());
    }
}

#endif
