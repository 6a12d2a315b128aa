/*
 * Tarn's kernel library: the whole public ABI.
 *
 * A kernel is pure and single-threaded. It allocates nothing, keeps nothing, prints nothing and touches only the memory named
 * in its argument block. All kernels share one signature,
 *
 *     int32_t kernel(const void *args, int64_t begin, int64_t end);
 *
 * where args is one of the structs of tarn_args.h and [begin, end) is a range of tasks. How many tasks there are depends on the
 * shapes in the arguments alone, never on threads, so any split of the tasks over threads gives the same bits.
 *
 * An operation may need up to three phases, for instance pack weights / multiply / reduce. All tasks of a phase end before the
 * next phase starts. A variant is one implementation of an operation: a function that plans it and a kernel for each phase.
 * For each operation and number type the table lists variants best first; the reference variant is last and declines nothing
 * that is valid.
 *
 * Gradient rule: gradients of parameters accumulate (+=), gradients of activations are overwritten. A value that is used twice
 * gets an explicit add.
 */
#ifndef TARN_H
#define TARN_H

#include <stdint.h>

#define TARN_ABI 1
#define TARN_PHASES 3
#define TARN_EXPORT __attribute__((visibility("default")))

enum tarn_status {
    TARN_OK = 0,
    TARN_DECLINED = 1,      /* plan: this variant does not take these arguments, ask the next one */
    TARN_BAD_ARGUMENT = 2,  /* plan: sizes or pointers make no sense for any variant */
    TARN_BAD_LABEL = 3,     /* run: a class label is outside [0, classes) */
    TARN_BLAS_FAILED = 4    /* run: OpenBLAS was needed and not given */
};

/* The type of activations. In BF16, the upper half of F32, operations are forward only: they read activations in BF16 and
 * weights and biases in F32, compute in F32, and round once, to nearest even, where they store an activation. */
enum tarn_dtype { TARN_F32 = 0, TARN_F64 = 1, TARN_BF16 = 2 };

/* Each level includes those below it that its processor family has. */
enum tarn_level {
    TARN_REF = 0,    /* portable C, the definition of every operation */
    TARN_BLAS = 1,   /* portable C around OpenBLAS */
    TARN_AVX2 = 2,   /* AVX2 and FMA */
    TARN_AVX512 = 3, /* AVX-512 F, BW, DQ, VL */
    TARN_AVX512_BF16 = 4, /* AVX-512 BF16: dot products of pairs */
    TARN_AMX = 5,    /* AMX TILE, BF16: products of tiles */
    TARN_NEON = 6    /* Advanced SIMD of 64-bit Arm; includes the first two */
};

typedef int32_t tarn_kernel(const void *args, int64_t begin, int64_t end);

/* What running a variant on given arguments takes. */
typedef struct {
    int64_t tasks[TARN_PHASES];  /* tasks of each phase; 0 skips the phase */
    int64_t shared;              /* bytes that live from the first phase to the last, one block for all threads */
    int64_t scratch;             /* bytes for each thread, dead after every call */
    int64_t reusable;            /* 1: phase 0 reads parameters only, so its result in `shared` serves until they change */
} tarn_plan;

/* Fills plan from the sizes in args. Checks every size and which pointers are given; does not follow a pointer. */
typedef int32_t tarn_planner(const void *args, tarn_plan *plan);

typedef struct {
    const char *op;    /* "conv2d_forward" */
    const char *args;  /* name of its argument struct: "conv2d" */
    int64_t dtype;     /* enum tarn_dtype */
    int64_t level;     /* enum tarn_level */
    tarn_planner *plan;
    tarn_kernel *phase[TARN_PHASES];
    const char *technique; /* tells variants of one level apart: "few_channels"; "" for the one that takes all shapes */
} tarn_variant;

enum tarn_kind { TARN_INT64 = 0, TARN_DOUBLE = 1, TARN_POINTER = 2 };

/* One field of an argument struct. Every field is eight bytes, so field i lies at byte 8 * i. */
typedef struct {
    const char *name;
    int64_t kind; /* enum tarn_kind */
} tarn_field;

typedef struct {
    const char *name; /* "conv2d" */
    int64_t field_count;
    const tarn_field *fields;
    int64_t size; /* bytes, as the compiler laid it out */
} tarn_struct;

TARN_EXPORT int32_t tarn_abi(void);

/*
 * The highest level that this processor and its operating system can run. A process must have asked for tile registers before
 * it uses them: the first call does, and kernels of TARN_AMX may run after it only.
 */
TARN_EXPORT int32_t tarn_cpu_level(void);

/* All variants, grouped by operation, best first. */
TARN_EXPORT const tarn_variant *const *tarn_variants(int64_t *count);

/* All argument structs, as the compiler laid them out. */
TARN_EXPORT const tarn_struct *tarn_structs(int64_t *count);

TARN_EXPORT int32_t tarn_plan_variant(tarn_planner *planner, const void *args, tarn_plan *plan);

/* Runs a range of tasks with denormals flushed to zero, and restores the caller's floating-point mode. */
TARN_EXPORT int32_t tarn_run(tarn_kernel *kernel, const void *args, int64_t begin, int64_t end);

#endif
