/* The primitives with Advanced SIMD of 64-bit Arm: four lanes, 32 registers. avx512.h says what each one does. */
#ifndef TARN_NEON_H
#define TARN_NEON_H

#include <arm_neon.h>

#include "kernel.h"

#define LANES 4
typedef float32x4_t vec;
typedef uint32x4_t veci;
typedef uint32x4_t vmask;

static inline veci veci_set1(uint32_t x) { return vdupq_n_u32(x); }
static inline veci veci_lanes(void) { return (veci){0, 1, 2, 3}; }
static inline vec vec_and(vmask m, vec x) { return vreinterpretq_f32_u32(vandq_u32(m, vreinterpretq_u32_f32(x))); }
static inline vmask vec_mask(int64_t n) { return vcltq_u32(veci_lanes(), veci_set1((uint32_t)n)); }
static inline vec vec_zero(void) { return vdupq_n_f32(0); }
static inline vec vec_zero_apart(void) { return vec_zero(); } /* no unit that adds is needed to clear or to copy a register */
static inline vec vec_set1(float x) { return vdupq_n_f32(x); }
static inline vec vec_load(const float *p) { return vld1q_f32(p); }
static inline vec vec_load_n(const float *p, int64_t n) {
    const float32x2_t none = vdup_n_f32(0), low = n & 2 ? vld1_f32(p) : n & 1 ? vld1_lane_f32(p, none, 0) : none;
    return vcombine_f32(low, n == 3 ? vld1_lane_f32(p + 2, none, 0) : none);
}
static inline void vec_store(float *p, vec x) { vst1q_f32(p, x); }
static inline void vec_store_n(float *p, vec x, int64_t n) {
    if (n & 2) {
        vst1_f32(p, vget_low_f32(x));
    }
    if (n == 3) {
        vst1q_lane_f32(p + 2, x, 2);
    } else if (n == 1) {
        vst1q_lane_f32(p, x, 0);
    }
}
/* There are no stores past the caches; processors notice by themselves that whole lines are overwritten. */
static inline void vec_stream(float *p, vec x) { vec_store(p, x); }
static inline void vec_stream_end(void) {}
static inline vec vec_add(vec a, vec b) { return vaddq_f32(a, b); }
static inline vec vec_sub(vec a, vec b) { return vsubq_f32(a, b); }
static inline vec vec_mul(vec a, vec b) { return vmulq_f32(a, b); }
static inline vec vec_div(vec a, vec b) { return vdivq_f32(a, b); }
static inline vec vec_sqrt(vec x) { return vsqrtq_f32(x); }
static inline vec vec_fma(vec a, vec b, vec c) { return vfmaq_f32(c, a, b); }
/* fmax and fmin would take NaN for the result, or never. */
static inline vec vec_max(vec a, vec b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
static inline vec vec_min(vec a, vec b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
static inline vec vec_abs(vec x) { return vabsq_f32(x); }
static inline vec vec_with_sign(vec x, vec y) { return vbslq_f32(veci_set1(0x80000000u), y, x); }
static inline vec vec_nearest(vec x) { return vrndnq_f32(x); }
static inline vec vec_power_of_two(int32x4_t n) {
    return vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(n, vdupq_n_s32(127)), 23));
}
static inline vec vec_scale(vec x, vec n) { /* in two steps: 2^n alone may be out of range */
    const int32x4_t whole = vcvtnq_s32_f32(n), part = vshrq_n_s32(whole, 1);
    return vmulq_f32(vmulq_f32(x, vec_power_of_two(part)), vec_power_of_two(vsubq_s32(whole, part)));
}
static inline vec vec_where_positive(vec x, vec yes, vec no) { return vbslq_f32(vcgtzq_f32(x), yes, no); }
static inline vec vec_first(vec x, int64_t n) { return vec_and(vec_mask(n), x); }
static inline float vec_sum(vec x) { return vaddvq_f32(x); }
static inline vec vec_where_above(vec y, float low, vec x) { return vec_and(vcgtq_f32(y, vec_set1(low)), x); }
static inline vec vec_where_below(vec y, float high, vec x) { return vec_and(vcltq_f32(y, vec_set1(high)), x); }
static inline vec vec_where_nonzero(vec y, vec x) { return vec_and(vmvnq_u32(vceqzq_f32(y)), x); }

static inline void vec_prefetch(const float *p) { __asm__ volatile("prfm pldl1keep, %0" : : "Q"(*p)); }
static inline void vec_prefetch_far(const float *p) { __asm__ volatile("prfm pldl2keep, %0" : : "Q"(*p)); }
static inline void vec_prefetch_write(const float *p) { __asm__ volatile("prfm pstl1keep, %0" : : "Q"(*p)); }

static inline vmask vec_wins(vec x, vec best) {
    return vandq_u32(vceqq_f32(best, best), vmvnq_u32(vcleq_f32(x, best)));
}
static inline vec vec_select(vmask m, vec yes, vec no) { return vbslq_f32(m, yes, no); }
static inline veci veci_select(vmask m, veci yes, veci no) { return vbslq_u32(m, yes, no); }
static inline void veci_store_bytes(uint8_t *p, veci x, int64_t n) {
    const uint16x4_t words = vmovn_u32(x);
    const uint32_t bytes = vget_lane_u32(vreinterpret_u32_u8(vmovn_u16(vcombine_u16(words, words))), 0);
    if (n == LANES) {
        memcpy(p, &bytes, LANES);
    } else {
        memcpy(p, &bytes, (size_t)n);
    }
}
static inline vec vec_where_byte(const uint8_t *p, int64_t n, int64_t byte, vec x) {
    uint32_t bytes = 0;
    if (n == LANES) {
        memcpy(&bytes, p, LANES);
    } else {
        memcpy(&bytes, p, (size_t)n);
    }
    const veci each = vmovl_u16(vget_low_u16(vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(bytes)))));
    return vec_and(vceqq_u32(each, veci_set1((uint8_t)byte)), x);
}
static inline vmask vec_lanes_of_bits(uint64_t bits) { return vtstq_u32(veci_set1((uint32_t)bits), (veci){1, 2, 4, 8}); }
static inline vec vec_where_bits(uint64_t bits, vec x) { return vec_and(vec_lanes_of_bits(bits), x); }
static inline vec vec_choose_bits(uint64_t bits, vec yes, vec no) { return vbslq_f32(vec_lanes_of_bits(bits), yes, no); }
static inline uint64_t vec_bits_of_lanes(vmask m) { return vaddvq_u32(vandq_u32(m, (veci){1, 2, 4, 8})); }
static inline uint64_t vec_bits_above(vec x, float low) { return vec_bits_of_lanes(vcgtq_f32(x, vec_set1(low))); }
static inline uint64_t vec_bits_below(vec x, float high) { return vec_bits_of_lanes(vcltq_f32(x, vec_set1(high))); }

static inline veci veci_add(veci a, veci b) { return vaddq_u32(a, b); }
static inline veci veci_or(veci a, veci b) { return vorrq_u32(a, b); }
static inline veci veci_xor(veci a, veci b) { return veorq_u32(a, b); }
static inline veci veci_shift_right(veci a, int by) { return vshlq_u32(a, vdupq_n_s32(-by)); }
static inline veci veci_mul(veci a, veci b, veci *high) {
    const uint32x4_t first = vreinterpretq_u32_u64(vmull_u32(vget_low_u32(a), vget_low_u32(b)));
    const uint32x4_t second = vreinterpretq_u32_u64(vmull_high_u32(a, b));
    *high = vuzp2q_u32(first, second);
    return vuzp1q_u32(first, second);
}
static inline veci veci_where_less(veci a, veci b, uint32_t bit) { return vandq_u32(vcltq_u32(a, b), veci_set1(bit)); }
static inline uint64_t veci_pack_nibbles(veci x) { return vaddvq_u32(vshlq_u32(x, (int32x4_t){0, 4, 8, 12})); }

typedef float64x2_t half;
static inline half half_load(const float *p) { return vcvt_f64_f32(vld1_f32(p)); }
static inline half half_low(vec x) { return vcvt_f64_f32(vget_low_f32(x)); }
static inline half half_high(vec x) { return vcvt_high_f64_f32(x); }
static inline vec half_join(half low, half high) { return vcvt_high_f32_f64(vcvt_f32_f64(low), high); }
static inline half half_set1(double x) { return vdupq_n_f64(x); }
static inline half half_fma(half a, half b, half c) { return vfmaq_f64(c, a, b); }

static inline vec vec_zip_low(vec a, vec b) { return vzip1q_f32(a, b); }
static inline vec vec_zip_high(vec a, vec b) { return vzip2q_f32(a, b); }
static inline vec vec_zip_pairs_low(vec a, vec b) {
    return vreinterpretq_f32_f64(vzip1q_f64(vreinterpretq_f64_f32(a), vreinterpretq_f64_f32(b)));
}
static inline vec vec_zip_pairs_high(vec a, vec b) {
    return vreinterpretq_f32_f64(vzip2q_f64(vreinterpretq_f64_f32(a), vreinterpretq_f64_f32(b)));
}

/* A vec is one part. */
typedef vec quad;
static inline quad quad_load(const float *p) { return vec_load(p); }
static inline void quad_store(float *p, quad x) { vec_store(p, x); }
#define EACH_PART(X) X(0)
#define PART(x, k) (x)
#define WITH_PART(x, part, k) (part)
static inline void vec_transpose_parts(vec *to) { (void)to; }

#if defined(TARN_BUILD_BF16)
#define ELEMENTS 8
typedef uint16x8_t elements;
static inline elements elements_zero(void) { return vdupq_n_u16(0); }
static inline elements elements_load(const element *p) { return vld1q_u16(p); }
static inline void elements_store(element *p, elements x) { vst1q_u16(p, x); }

typedef uint16x4_t halves;
static inline halves halves_load(const element *p) { return vld1_u16(p); }
static inline void halves_store(element *p, halves x) { vst1_u16(p, x); }
static inline halves halves_of(elements x) { return vget_low_u16(x); }
static inline elements elements_of(halves x) { return vcombine_u16(x, vdup_n_u16(0)); }
static inline vec vec_widen(halves x) { return vreinterpretq_f32_u32(vshll_n_u16(x, 16)); }
static inline halves vec_round(vec x) {
    const veci bits = vreinterpretq_u32_f32(x), high = vshrq_n_u32(bits, 16), odd = vandq_u32(high, veci_set1(1));
    const veci up = vaddq_u32(vaddq_u32(bits, veci_set1(0x7FFF)), odd), quiet = vorrq_u32(high, veci_set1(0x40));
    return vmovn_u32(vbslq_u32(vceqq_f32(x, x), vshrq_n_u32(up, 16), quiet));
}
static inline vec pairs_low(vec x) { return vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_f32(x), 16)); }
static inline vec pairs_high(vec x) { return vec_and(veci_set1(0xFFFF0000u), x); }
#endif

#endif
