/*
 * Block sizes, one row for each level: the only place where they are stated. They change speed and, where a sum is cut
 * at a block, its last bits; never what is computed.
 *
 * TILE_ROWS x TILE_VECTORS accumulators, TILE_VECTORS of the second operand and one broadcast fill the register file:
 * 28+2+1 of 32, 12+2+1 of 16, 24+4+1 of 32. DEPTH rows of one panel of the second operand (48 or 24 KiB) stay near L1
 * while all tiles of a block pass; the block of the first operand (BLOCK_BYTES) stays in L2. Those of NEON follow from
 * the registers and from the others: no such processor has been measured.
 */
#ifndef TARN_BLOCKS_H
#define TARN_BLOCKS_H

#include "kernel.h"

/*                                   avx512     avx2       neon */
#if !defined(TARN_BUILD_BF16)
#define TILE_ROWS          PER_LEVEL(14,        6,         6)
#endif
#define TILE_VECTORS       PER_LEVEL(2,         2,         4)
#define WIDE_VECTORS       PER_LEVEL(4,         2,         4)          /* panels of small weights: tiles read each row half as often */
#define DEPTH              PER_LEVEL(384,       384,       384)        /* length of the sum that one visit of a tile does */
#define BLOCK_BYTES        PER_LEVEL(256 << 10, 192 << 10, 256 << 10)  /* first operand of a block of tiles */
#define NEAR_BYTES         PER_LEVEL(16 << 10,  16 << 10,  16 << 10)   /* the same where the second operand is small: half of L1 */
#define WEIGHT_PIXELS      PER_LEVEL(128,       128,       128)        /* backward weight: pixels in one visit of a tile */
#define WEIGHT_DEPTH       PER_LEVEL(336,       336,       336)        /* backward weight: rows of grad_weight in a task */
#define FEW_TAPS           PER_LEVEL(4,         2,         4)          /* few channels, backward weight: taps in a tile */
#define DEPTHWISE_SUMS     PER_LEVEL(21,        6,         21)         /* of a tile: they, 9 weights and a source fill registers */
#define DEPTHWISE_LINES    PER_LEVEL(7,         3,         7)          /* of it, at most: where it is tall less is read again from L2 */
#define DEPTHWISE_PIXELS   PER_LEVEL(3,         6,         3)          /* of a line, at most */
#define DEPTHWISE_FAR_BYTES PER_LEVEL(INT64_MAX, 4 << 20,   INT64_MAX)  /* of a source, that tiles fetch ahead; two levels never */
#define STREAM_BYTES       PER_LEVEL(32 << 20,  8 << 20,   32 << 20)   /* convolutions' results of more go past the caches ... */
#define STREAM_PAGE        PER_LEVEL(INT64_MAX, 4096,      INT64_MAX)  /* ... but where a tile's rows are whole pages apart */
#define WINOGRAD_TILES     PER_LEVEL(28,        30,        30)         /* tiles of a visit where U is shared: V and M stay in L2 */
#define WINOGRAD_SUM_TILES PER_LEVEL(64,        64,        64)         /* backward weight: tiles of a visit; U, V and D stay in L2 */
#define WINOGRAD_FAR_TILES PER_LEVEL(128,       126,       126)        /* the same where U is made anew: worth the making */
#define WINOGRAD_FEW_TILES PER_LEVEL(4,         4,         4)          /* so few tiles that U is made in registers */

/*
 * BF16. Below avx512_bf16 a pair of the second operand takes two registers; amx has tiles of 16 rows, 16 columns and 32
 * deep, of which two times two are filled at a time.
 */
#if defined(TARN_BUILD_BF16)
/*                                       amx          avx512_bf16  avx512     avx2       neon */
#define TILE_ROWS         PER_BF16_LEVEL(32,          14,          12,        4,         4)
#define DEPTH_UNIT        PER_BF16_LEVEL(32,          2,           2,         2,         2)         /* depth is filled up to whole ones */
#define PAIR_BLOCK_BYTES  PER_BF16_LEVEL(1280 << 10,  256 << 10,   256 << 10, 192 << 10, 256 << 10) /* rows of a task */
#define PAIR_WEIGHT_BYTES PER_BF16_LEVEL(1280 << 10,  512 << 10,   512 << 10, 192 << 10, 256 << 10) /* weights that stay in L2 ... */
#define PAIR_NEAR_ROWS    PER_BF16_LEVEL(32,          56,          48,        16,        16)        /* ... rows that pass at a time */
#define PAIR_FAR_ROWS     PER_BF16_LEVEL(128,         112,         96,        32,        32)        /* rows that stay, else */
#endif

/* The same for all levels. */
#define ENOUGH_TASKS     16                   /* a call is cut into this many tasks where the shape allows */
#define DEPTHWISE_CHANNELS 64                 /* at least, in a task that takes some channels */
#define WIDE_DEPTH       256                  /* small weights: a panel this deep, ... */
#define WIDE_FLOATS      (64 << 10)           /* ... all of them a small part of L2 */
#define DIRECT_DEPTH     1024                 /* as DEPTH, where the source is read in place and is fetched ahead */
#define LINEAR_PANELS    8                    /* of weights, and DEPTH deep: what a task of a linear layer packs at a time */
#define FEW_BYTES        (32 << 10)           /* few channels: lines that are kept near, of input and of output */
#define FEW_VECTORS      32                   /* few channels, backward weight: vectors of pixels worth a private sum */
#define PACK_CHANNELS    64                   /* of the input and one tap, in a task that packs weights: whole panels */
#define BLAS_BLOCK_BYTES ((int64_t)2 << 20)   /* im2row matrix of one OpenBLAS product */
#define REDUCE_TASK      ((int64_t)1 << 14)   /* elements in a task that adds private sums */
#define WINOGRAD_CHANNELS 16                  /* fewer are not worth the transforms */
#define WINOGRAD_WEIGHT_BYTES (4 << 20)       /* U that is made once and streamed from L3 for each block of tiles */
#define WINOGRAD_WIDTH   64                   /* destination channels of a visit where U is shared: M, 252 KiB */
#define WINOGRAD_FAR_WIDTH 32                 /* where U is made anew: M, 576 KiB */
#define WINOGRAD_STEP    256                  /* source channels of U that is made anew: a row of planes, 192 KiB */
#define WINOGRAD_SHARED_BYTES ((int64_t)40 << 20) /* backward weight: V and D of all tiles, made once */
#define WINOGRAD_SHARED_BLOCKS 7              /* at most, of which V is shared; more make tasks enough, two of each */
#define WINOGRAD_PARTS   4                    /* tasks that make V of a visit */
#define WINOGRAD_FEW_STEP 16                  /* the same of few tiles: windows of LANES channels stay in L1, 9 KiB */
#define FAR_BYTES        (16 << 20)           /* tensors that do not fit in L3 beside others */
#define PARTIAL_BYTES    ((int64_t)8 << 20)   /* backward weight: private copies of grad_weight, all together */

#if defined(TARN_BUILD_AVX512)
#define PER_LEVEL(avx512, avx2, neon) (avx512)
#elif defined(TARN_BUILD_AVX2)
#define PER_LEVEL(avx512, avx2, neon) (avx2)
#else
#define PER_LEVEL(avx512, avx2, neon) (neon)
#endif
#if defined(TARN_BUILD_AMX)
#define PER_BF16_LEVEL(amx, avx512_bf16, avx512, avx2, neon) (amx)
#elif defined(TARN_BUILD_AVX512_BF16)
#define PER_BF16_LEVEL(amx, avx512_bf16, avx512, avx2, neon) (avx512_bf16)
#elif defined(TARN_BUILD_AVX512)
#define PER_BF16_LEVEL(amx, avx512_bf16, avx512, avx2, neon) (avx512)
#elif defined(TARN_BUILD_AVX2)
#define PER_BF16_LEVEL(amx, avx512_bf16, avx512, avx2, neon) (avx2)
#else
#define PER_BF16_LEVEL(amx, avx512_bf16, avx512, avx2, neon) (neon)
#endif

#endif
