/* The library's tables and its two entry points for plans and kernels. */
#include <stddef.h>

#include "tarn.h"
#include "tarn_args.h"

/* The floating-point mode of this thread, and what flushes denormals to zero in it. */
#if defined(__x86_64__)
#include <xmmintrin.h>
#define FLUSH 0x8040u /* results, and operands */
static uint64_t get_mode(void) { return _mm_getcsr(); }
static void set_mode(uint64_t mode) { _mm_setcsr((unsigned)mode); }
#elif defined(__aarch64__)
#define FLUSH (UINT64_C(1) << 24) /* both */
static uint64_t get_mode(void) {
    uint64_t mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    return mode;
}
static void set_mode(uint64_t mode) { __asm__ volatile("msr fpcr, %0" : : "r"(mode)); }
#else
#define FLUSH 0u
static uint64_t get_mode(void) { return 0; }
static void set_mode(uint64_t mode) { (void)mode; }
#endif

#define VARIANT_ROW(op, suffix) extern const tarn_variant tarn_##op##_##suffix;
#include "variants.def"
#undef VARIANT_ROW

#define VARIANT_ROW(op, suffix) &tarn_##op##_##suffix,
static const tarn_variant *const variants[] = {
#include "variants.def"
};
#undef VARIANT_ROW

#define FIELD_I(name) {#name, TARN_INT64},
#define FIELD_D(name) {#name, TARN_DOUBLE},
#define FIELD_P(name) {#name, TARN_POINTER},
#define FIELD_TABLE(name, FIELDS) static const tarn_field name##_fields[] = {FIELDS(FIELD_I, FIELD_D, FIELD_P)};
TARN_ARGS_LIST(FIELD_TABLE)

#define STRUCT_ROW(name, FIELDS) \
    {#name, (int64_t)(sizeof name##_fields / sizeof name##_fields[0]), name##_fields, (int64_t)sizeof(tarn_##name##_args)},
static const tarn_struct structs[] = {TARN_ARGS_LIST(STRUCT_ROW)};

int32_t tarn_abi(void) { return TARN_ABI; }

const tarn_variant *const *tarn_variants(int64_t *count) {
    *count = (int64_t)(sizeof variants / sizeof variants[0]);
    return variants;
}

const tarn_struct *tarn_structs(int64_t *count) {
    *count = (int64_t)(sizeof structs / sizeof structs[0]);
    return structs;
}

int32_t tarn_plan_variant(tarn_planner *planner, const void *args, tarn_plan *plan) { return planner(args, plan); }

int32_t tarn_run(tarn_kernel *kernel, const void *args, int64_t begin, int64_t end) {
    const uint64_t mode = get_mode();
    set_mode(mode | FLUSH);
    const int32_t status = kernel(args, begin, end);
    set_mode(mode);
    return status;
}
