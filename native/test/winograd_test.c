/*
 * Winograd convolution: every level against direct sums in double inside the bound that follows from its transforms,
 * over sizes around its tiles, blocks and vectors; the same bits for any split of the tasks and for an image alone and
 * in a batch; which shapes it takes; and that its error on ordinary data is what its interpolation points promise.
 */
#include "conv2d_check.h"

#define SAME(n, h, w, ic, oc) SQUARE(n, h, w, ic, oc, 3, 1, 1, 1, 1)
#define PADDED(n, h, w, ic, oc, p) SQUARE(n, h, w, ic, oc, 3, 1, p, 1, 1)

static const shape shapes[] = {
    /* images around one and two tiles, and of more tiles than a block has */
    SAME(3, 4, 4, 32, 32), SAME(2, 3, 3, 32, 33), SAME(2, 5, 5, 33, 32), SAME(2, 7, 8, 37, 35), SAME(2, 9, 4, 40, 48),
    SAME(1, 21, 30, 32, 32), SAME(5, 12, 11, 32, 32), SAME(2, 8, 3, 32, 32), SAME(2, 1, 8, 32, 32),
    SAME(2, 8, 8, 16, 21),
    /* tiles a pixel shorter than others in either direction, or all */
    SAME(2, 10, 13, 33, 35), SAME(1, 6, 9, 32, 32), SAME(2, 5, 6, 33, 35), SAME(1, 2, 9, 32, 32),
    /* tiles of 2x2 */
    SAME(3, 2, 2, 32, 32), SAME(2, 2, 2, 45, 70), SAME(2, 2, 5, 33, 35), SAME(1, 6, 2, 32, 32),
    /* channels around vectors, panels, and visits of source and destination channels */
    SAME(1, 5, 6, 47, 49), SAME(1, 4, 5, 63, 64), SAME(1, 5, 4, 65, 97), SAME(1, 3, 5, 32, 131), SAME(2, 4, 4, 129, 33),
    /* weights too large to be kept transformed; an image alone has 4, 1, 1, 2, 4 tiles, its batch more than few or not */
    SAME(2, 7, 7, 192, 160), SAME(6, 2, 2, 260, 257), SAME(3, 4, 4, 170, 180), SAME(3, 4, 8, 170, 180),
    SAME(17, 8, 8, 180, 170),
    /* no padding, wide padding, padding that differs by side, images smaller than the window */
    PADDED(2, 8, 7, 32, 32, 0), PADDED(1, 4, 4, 32, 32, 0), PADDED(2, 5, 3, 33, 34, 2), PADDED(2, 1, 1, 32, 32, 2),
    PADDED(1, 2, 3, 32, 32, 7), {2, 6, 5, 32, 7, 9, 33, 3, 3, 1, 1, 0, 3, 1, 1, 1},
    {1, 8, 9, 34, 8, 9, 32, 3, 3, 1, 1, 0, 0, 1, 1, 1},
    {1, 7, 9, 34, 4, 6, 32, 3, 3, 1, 1, 5, 0, 1, 1, 1}, {1, 3, 3, 32, 9, 4, 32, 3, 3, 1, 1, 9, 1, 1, 1, 1},
};
#define SHAPES ((int)(sizeof shapes / sizeof shapes[0]))

#define CHECK_EACH_WINOGRAD(v, op) CHECK_EACH(v, op) if (strcmp(v->technique, "winograd") == 0)

static void forward_is_within_the_bound_of_its_transforms(void) {
    for (int i = 0; i < SHAPES; i++) {
        const sums d = direct_sums(&shapes[i]);
        name_case(&shapes[i]);
        for (int epilogue = 0; epilogue < EPILOGUES; epilogue++) {
            CHECK_EACH_WINOGRAD(v, "conv2d_forward") {
                check_forward(v, &shapes[i], &d, epilogue);
            }
        }
        check_release();
    }
}

static void backward_data_is_within_the_bound_of_its_transforms(void) {
    for (int i = 0; i < SHAPES; i++) {
        const sums d = direct_sums(&shapes[i]);
        name_case(&shapes[i]);
        CHECK_EACH_WINOGRAD(v, "conv2d_backward_data") {
            check_backward_data(v, &shapes[i], &d);
        }
        check_release();
    }
}

/*
 * Lines of tensors larger than caches are asked for ahead, in every task a little further: the bits are those of one
 * image.
 */
static void large_batches_have_the_bits_of_single_images(void) {
    /* a little over 16 MiB; and of so many blocks that they are not shared */
    const shape cases[] = {SAME(70, 31, 30, 32, 33), SAME(100, 8, 7, 512, 256), SAME(225, 8, 7, 300, 100)};
    for (int i = 0; i < 3; i++) {
        const shape *s = &cases[i];
        const int64_t in = s->n * s->h * s->w * s->ic, out = s->n * s->oh * s->ow * s->oc;
        name_case(s);
        CHECK_EACH_WINOGRAD(v, "conv2d_forward") {
            tarn_conv2d_args args = arguments(s);
            args.input = check_reals(v->dtype, check_uniforms(in, -1, 1), in);
            args.weight = check_reals(v->dtype, check_uniforms(9 * s->ic * s->oc, -1, 1), 9 * s->ic * s->oc);
            args.output = check_alloc_reals(v->dtype, out);
            CHECK(check_run(v, &args, CHECK_RANDOM) == TARN_OK, "the batch runs");
            check_alone(v, &args, &args.input, &args.output, in / s->n, out / s->n);
        }
        check_release();
    }
}

static void backward_weight_accumulates_within_the_bound_of_its_transforms(void) {
    /* beside those of the other directions: several chunks of several visits; blocks that share one visit, and two */
    const shape more[] = {
        SAME(2, 32, 33, 32, 32), PADDED(3, 27, 30, 47, 33, 0), SAME(1, 3, 3, 500, 260), SAME(33, 7, 6, 193, 196)};
    for (int i = 0; i < SHAPES + 4; i++) {
        const shape *s = i < SHAPES ? &shapes[i] : &more[i - SHAPES];
        const sums d = direct_sums(s);
        name_case(s);
        CHECK_EACH_WINOGRAD(v, "conv2d_backward_weight") {
            check_backward_weight(v, s, &d);
        }
        check_release();
    }
}

static double square(double x) { return x * x; }

/* Root mean square of a variant's error. */
static double measured_error(const tarn_variant *v, const shape *s, const sums *d) {
    tarn_conv2d_args args = arguments(s);
    args.input = check_reals(v->dtype, d->input, d->input_count);
    args.weight = check_reals(v->dtype, d->weight, d->weight_count);
    args.output = check_alloc_reals(v->dtype, d->output_count);
    CHECK(check_run(v, &args, CHECK_WHOLE) == TARN_OK, "%s takes the shape", v->technique);
    double sum = 0;
    for (int64_t i = 0; i < d->output_count; i++) {
        sum += square(check_get(v->dtype, args.output, i) - d->output[i]);
    }
    return sqrt(sum / (double)d->output_count);
}

/*
 * The error of a long sum of independent terms is that of its partial sums, and grows with their variance. A direct sum
 * has 9 terms a channel. A product of a tile has one, of variance |G_k|^2 |B_k|^2 along each axis, and goes into output
 * i with weight A_ki^2; so the mean square error is that of the direct sum times the square of
 *
 *   f = mean over i of sum over k of A_ki^2 |G_k|^2 |B_k|^2 / 9
 *
 * which is 1.7^2 for the points 0, +-sqrt(1/2), +-sqrt(2) and 3.6^2 for 0, +-1, +-2. Twice the promised root is
 * allowed: for the transforms' own roundings, and for a direct sum in one chain being lucky.
 */
static double promised_ratio(void) {
    const winograd_matrices w = winograd_matrices_of(4);
    double f = 0;
    for (int64_t k = 0; k < w.points; k++) {
        double a = 0, g = 0, b = 0;
        for (int64_t i = 0; i < w.points; i++) {
            a += i < w.m ? square(w.a[k][i]) : 0;
            g += i < 3 ? square(w.g[k][i]) : 0;
            b += square(w.b[k][i]);
        }
        f += a / (double)w.m * g * b / 9;
    }
    return f;
}

static void error_on_ordinary_data_is_what_the_points_promise(void) {
    const shape s = SAME(1, 8, 8, 256, 40);
    sums d = direct_sums(&s);
    for (int64_t i = 0; i < d.input_count; i++) { /* as after a ReLU: half of it zero */
        d.input[i] = fmax(d.input[i], 0);
    }
    const tarn_variant *reference = check_reference("conv2d_forward");
    tarn_conv2d_args args = arguments(&s);
    args.input = d.input;
    args.weight = d.weight;
    args.output = d.output;
    CHECK(check_run(reference, &args, CHECK_WHOLE) == TARN_OK, "the reference takes the shape");
    CHECK_EACH_WINOGRAD(v, "conv2d_forward") {
        const tarn_variant *direct = check_next(v->op, v, 0);
        CHECK(direct && !*direct->technique && direct->level == v->level, "the direct variant is next");
        const double allowed = 2 * promised_ratio() * measured_error(direct, &s, &d), error = measured_error(v, &s, &d);
        CHECK(error <= allowed, "root mean square error %.3g, promised %.3g", error, allowed);
        CHECK(error > 0, "sums of floats err");
    }
}

/*
 * The layers of the networks it is for go to it, in both directions; what it does not compute, or not faster, does not.
 */
static void shapes_are_taken_by_what_they_gain(void) {
    const shape taken[] = {SAME(16, 56, 56, 64, 64), SAME(1, 7, 7, 512, 512), SAME(0, 32, 32, 64, 64)};
    const shape declined[] = {SAME(2, 32, 32, 3, 64), SAME(2, 8, 8, 64, 8), SAME(2, 1, 1, 512, 512),
            SQUARE(2, 9, 9, 64, 64, 3, 2, 1, 1, 1), SQUARE(2, 9, 9, 64, 64, 3, 1, 2, 2, 1),
            SQUARE(2, 9, 9, 64, 64, 3, 1, 1, 1, 2), SQUARE(2, 9, 9, 64, 64, 1, 1, 0, 1, 1),
            SQUARE(2, 9, 9, 64, 64, 5, 1, 2, 1, 1), SQUARE(2, 9, 9, 64, 64, 3, 1, 1, 1, 64)};
    const char *const ops[] = {"conv2d_forward", "conv2d_backward_data", "conv2d_backward_weight"};
    for (int op = 0; op < 3; op++) {
        CHECK_EACH_WINOGRAD(v, ops[op]) {
            for (int i = 0; i < (int)(sizeof taken / sizeof taken[0] + sizeof declined / sizeof declined[0]); i++) {
                const int take = i < (int)(sizeof taken / sizeof taken[0]);
                const shape *s = take ? &taken[i] : &declined[i - (int)(sizeof taken / sizeof taken[0])];
                tarn_conv2d_args args = arguments(s);
                args.input = args.weight = args.output = args.grad_output = args.grad_input = args.grad_weight = &args;
                name_case(s);
                CHECK(check_plan(v, &args) == (take ? TARN_OK : TARN_DECLINED), "taken or declined");
            }
        }
    }
}

/* A batch never needs more memory than a larger one, and the choice between tiles and none is not the batch's. */
CHECK_MAIN({"forward_is_within_the_bound_of_its_transforms", forward_is_within_the_bound_of_its_transforms},
        {"backward_data_is_within_the_bound_of_its_transforms", backward_data_is_within_the_bound_of_its_transforms},
        {"large_batches_have_the_bits_of_single_images", large_batches_have_the_bits_of_single_images},
        {"backward_weight_accumulates_within_the_bound_of_its_transforms",
                backward_weight_accumulates_within_the_bound_of_its_transforms},
        {"error_on_ordinary_data_is_what_the_points_promise", error_on_ordinary_data_is_what_the_points_promise},
        {"shapes_are_taken_by_what_they_gain", shapes_are_taken_by_what_they_gain})
