/* The test harness. Linux and other systems with mmap. */
#include "check.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAX_FAILURES 20
#define CANARY 0xA5

static const char *const level_names[] = {"ref", "blas", "avx2", "avx512", "avx512_bf16", "amx", "neon"};
#define LEVELS ((int)(sizeof level_names / sizeof level_names[0]))

static enum { GUARD_AFTER, GUARD_BEFORE, GUARD_SIDES } guard;
static uint64_t seed, state;
static int64_t checks, failures;
static int level_seen[LEVELS];
static const char *test_name = "";
static char variant_text[96], case_text[256];

/* ---- memory ---- */

typedef struct block {
    struct block *next;
    unsigned char *map, *data;
    int64_t map_bytes, bytes; /* map: one page, the buffer's pages, one page */
} block;
static block *blocks;

static void die(const char *what) {
    perror(what);
    exit(2);
}

/* Fills, or verifies, what lies in the buffer's pages but beside the buffer. */
static int canary(const block *b, int verify) {
    int64_t page = sysconf(_SC_PAGESIZE);
    unsigned char *first = b->map + page, *stop = b->map + b->map_bytes - page;
    for (unsigned char *p = first; p < stop; p++) {
        if (p >= b->data && p < b->data + b->bytes) {
            p = b->data + b->bytes - 1;
        } else if (!verify) {
            *p = CANARY;
        } else if (*p != CANARY) {
            return 0;
        }
    }
    return 1;
}

static void *alloc(int64_t bytes, int64_t alignment) {
    int64_t page = sysconf(_SC_PAGESIZE), room = (bytes + alignment + page - 1) / page * page;
    block *b = malloc(sizeof *b);
    if (!b) {
        die("malloc");
    }
    b->bytes = bytes;
    b->map_bytes = room + 2 * page;
    b->map = mmap(NULL, (size_t)b->map_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (b->map == MAP_FAILED) {
        die("mmap");
    }
    int64_t start = guard == GUARD_AFTER ? (room - bytes) / alignment * alignment : 0;
    b->data = b->map + page + start;
    if (mprotect(b->map, (size_t)page, PROT_NONE) || mprotect(b->map + page + room, (size_t)page, PROT_NONE)) {
        die("mprotect");
    }
    memset(b->data, 0xFF, (size_t)bytes);
    canary(b, 0);
    b->next = blocks;
    blocks = b;
    return b->data;
}

static void release(block *until) {
    while (blocks != until) {
        block *b = blocks;
        blocks = b->next;
        CHECK(canary(b, 1), "memory beside a buffer of %lld bytes was overwritten", (long long)b->bytes);
        munmap(b->map, (size_t)b->map_bytes);
        free(b);
    }
}

void *check_alloc(int64_t bytes) { return alloc(bytes, 1); }

void check_release(void) { release(NULL); }

void *check_alloc_reals(int64_t dtype, int64_t count) { return check_alloc(count * check_size(dtype)); }

void *check_reals(int64_t dtype, const double *values, int64_t count) {
    void *p = check_alloc_reals(dtype, count);
    for (int64_t i = 0; i < count; i++) {
        if (dtype == TARN_F64) {
            ((double *)p)[i] = values[i];
        } else if (dtype == TARN_BF16) {
            const float value = (float)values[i];
            uint32_t bits;
            memcpy(&bits, &value, sizeof bits);
            ((uint16_t *)p)[i] = (uint16_t)(bits >> 16);
            CHECK(isnan(value) || ((double)value == values[i] && (bits & 0xFFFF) == 0), "%g is no bf16", values[i]);
        } else {
            ((float *)p)[i] = (float)values[i];
        }
    }
    return p;
}

double *check_doubles(int64_t dtype, const void *p, int64_t count) {
    double *values = check_alloc_reals(TARN_F64, count);
    for (int64_t i = 0; i < count; i++) {
        values[i] = check_get(dtype, p, i);
    }
    return values;
}

/* ---- random data ---- */

uint64_t check_random(void) { /* xorshift64* */
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * UINT64_C(0x2545F4914F6CDD1D);
}

double check_uniform(double low, double high) {
    return (float)(low + (high - low) * (double)(check_random() >> 40) * 0x1p-24);
}

double *check_uniforms(int64_t count, double low, double high) {
    double *values = check_alloc_reals(TARN_F64, count);
    for (int64_t i = 0; i < count; i++) {
        values[i] = check_uniform(low, high);
    }
    return values;
}

/* ---- variants ---- */

/* Names the variant in the messages that follow. */
static void describe(const tarn_variant *v) {
    snprintf(variant_text, sizeof variant_text, "%s %s %s %s", v->op, v->dtype == TARN_F64 ? "f64" : v->dtype == TARN_BF16 ? "bf16" : "f32",
            level_names[v->level], v->technique);
}

int check_vector_levels(void) {
    const int32_t level = tarn_cpu_level();
    return level < TARN_AVX2 ? 0 : level == TARN_AVX2 || level == TARN_NEON ? 1 : 2;
}

const tarn_variant *check_next(const char *op, const tarn_variant *v, int bf16) {
    int64_t count;
    const tarn_variant *const *all = tarn_variants(&count);
    int found = !v, known = 0;
    for (int64_t i = 0; i < count; i++) {
        if (strcmp(all[i]->op, op) != 0 || (all[i]->dtype == TARN_BF16) != bf16) {
            continue;
        }
        known = 1;
        if (found && all[i]->level <= tarn_cpu_level()) {
            level_seen[all[i]->level] = 1;
            describe(all[i]);
            return all[i];
        }
        if (found) {
            level_seen[all[i]->level] = -1;
        }
        found |= all[i] == v;
    }
    CHECK(known, "no variant of %s", op);
    variant_text[0] = 0;
    return NULL;
}

const tarn_variant *check_reference(const char *op) {
    int64_t count;
    const tarn_variant *const *all = tarn_variants(&count);
    for (int64_t i = 0; i < count; i++) {
        if (strcmp(all[i]->op, op) == 0 && all[i]->dtype == TARN_F64 && all[i]->level == TARN_REF) {
            return all[i];
        }
    }
    fprintf(stderr, "%s has no reference in double\n", op);
    exit(2);
}

int32_t check_plan(const tarn_variant *v, const void *args) {
    tarn_plan plan;
    return tarn_plan_variant(v->plan, args, &plan);
}

int32_t check_run(const tarn_variant *v, void *args, enum check_split split) {
    tarn_plan plan;
    describe(v);
    memset(&plan, 0xFF, sizeof plan);
    int32_t status = tarn_plan_variant(v->plan, args, &plan);
    if (status != TARN_OK) {
        return status;
    }
    block *mark = blocks;
    struct { int64_t n; void *shared, *scratch; } *header = args;
    header->shared = plan.shared ? alloc(plan.shared, 64) : NULL;
    header->scratch = plan.scratch ? alloc(plan.scratch, 64) : NULL;
    for (int phase = 0; phase < TARN_PHASES && status == TARN_OK; phase++) {
        for (int64_t done = 0, step; done < plan.tasks[phase] && status == TARN_OK; done += step) {
            int64_t left = plan.tasks[phase] - done;
            int64_t random = 1 + (int64_t)(check_random() % (uint64_t)left);
            step = split == CHECK_WHOLE ? left : split == CHECK_SINGLE ? 1 : random;
            int64_t begin = split == CHECK_SINGLE ? left - 1 : done;
            if (plan.scratch) {
                memset(header->scratch, 0xFF, (size_t)plan.scratch); /* scratch is dead after every call */
            }
            status = tarn_run(v->phase[phase], args, begin, begin + step);
        }
    }
    release(mark);
    header->shared = header->scratch = NULL;
    return status;
}

int check_runs(const tarn_variant *v, void *args, enum check_split split) {
    int32_t status = check_run(v, args, split);
    CHECK(status == TARN_OK || (status == TARN_DECLINED && v->level != TARN_REF), "status %d", status);
    return status == TARN_OK;
}

/* ---- checks ---- */

void check_case(const char *format, ...) {
    va_list list;
    va_start(list, format);
    vsnprintf(case_text, sizeof case_text, format, list);
    va_end(list);
}

void check_count(int ok, const char *file, int line, const char *format, ...) {
    checks++;
    if (ok) {
        return;
    }
    failures++;
    fprintf(stderr, "%s:%d: %s [%s] [%s] buffers %s guard, TARN_TEST_SEED=%llu: ", file, line, test_name, variant_text,
            case_text, guard == GUARD_AFTER ? "before" : "after", (unsigned long long)seed);
    va_list list;
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
    if (failures >= MAX_FAILURES) {
        fprintf(stderr, "too many failures\n");
        exit(1);
    }
}

int check_near(int64_t dtype, double got, double want, double bound) {
    if (isnan(want) || isnan(got)) {
        return isnan(want) && isnan(got);
    }
    if (isinf(want) || isinf(got)) {
        return got == want;
    }
    return fabs(got - want) <= bound + (dtype == TARN_F64 ? DBL_MIN : (double)FLT_MIN);
}

void check_within(const char *what, int64_t dtype, const void *got, const double *want, const double *bound,
        int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        double g = check_get(dtype, got, i);
        CHECK(check_near(dtype, g, want[i], bound[i]), "%s[%lld] is %.9g, want %.9g, error %.3g, bound %.3g", what,
                (long long)i,
                g, want[i], fabs(g - want[i]), bound[i]);
    }
}

void check_bits(const char *what, const void *got, const void *want, int64_t bytes) {
    int64_t i = 0;
    for (; i < bytes && ((const char *)got)[i] == ((const char *)want)[i]; i++) {
    }
    CHECK(i == bytes, "%s: bits differ at byte %lld of %lld", what, (long long)i, (long long)bytes);
}

/* ---- main ---- */

static struct sigaction previous[2];

/* Says where a guard page was hit, then lets the fault happen again under the previous handler. */
static void on_fault(int signal) {
    static const char says[] = ": memory fault [";
    const char *parts[] = {test_name, says, variant_text, "] [", case_text, "]\n"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (write(STDERR_FILENO, parts[i], strlen(parts[i])) < 0) {
            break;
        }
    }
    sigaction(signal, &previous[signal == SIGSEGV], NULL);
}

int check_main(const char *name, const check_test *tests, int count) {
    const char *given = getenv("TARN_TEST_SEED");
    seed = given ? strtoull(given, NULL, 10) : 1;
    struct sigaction action = {.sa_handler = on_fault};
    sigaction(SIGSEGV, &action, &previous[1]);
    sigaction(SIGBUS, &action, &previous[0]);
    for (int i = 0; i < count; i++) {
        for (guard = 0; guard < GUARD_SIDES; guard++) {
            /* each test alone sees the same data; xorshift's state must not be 0 */
            state = (seed + 1) * UINT64_C(0x9E3779B97F4A7C15);
            test_name = tests[i].name;
            case_text[0] = 0;
            tests[i].run();
            check_release();
        }
    }
    const char *file = strrchr(name, '/');
    printf("%s: %lld checks, %lld failed, seed %llu, levels", file ? file + 1 : name, (long long)checks,
            (long long)failures,
            (unsigned long long)seed);
    for (int level = 0; level < LEVELS; level++) {
        if (level_seen[level]) {
            printf(" %s%s", level_names[level], level_seen[level] < 0 ? " (SKIPPED: not on this processor)" : "");
        }
    }
    printf("\n");
    return failures || !checks;
}
