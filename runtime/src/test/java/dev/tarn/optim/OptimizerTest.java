package dev.tarn.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.kernel.KernelCall;
import dev.tarn.tensor.DType;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What each optimizer does with gradients, by identities that follow from its formula. */
class OptimizerTest {
    private static final double[] START = {0.75, -1.5, 0.001, 2};
    private static final double[] GRADIENTS = {0.3, -0.02, 5, 1e-3};

    private static double unit(DType dtype) {
        return dtype == DType.F64 ? 0x1p-53 : 0x1p-24;
    }

    /** Relative error of k roundings. */
    private static double gamma(DType dtype, double k) {
        return k * unit(dtype) / (1 - k * unit(dtype));
    }

    private static void assertNear(double want, double got, double relative, String what) {
        assertEquals(want, got, relative * Math.abs(want), what);
    }

    @Test
    void o1_a_step_of_sgd_rounds_the_product_and_the_difference() {
        double rate = 0.05;
        try (var exact = new Steps(new SGD(), DType.F64, START);
                var steps = new Steps(new SGD(), DType.F32, START)) {
            exact.step(rate, GRADIENTS);
            steps.step(rate, GRADIENTS);
            for (int i = 0; i < START.length; i++) {
                assertEquals(START[i] - rate * GRADIENTS[i], exact.x(i));
                float product = (float) rate * (float) GRADIENTS[i];
                assertEquals((float) START[i] - product, (float) steps.x(i));
                assertEquals(0, steps.gradient(i));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F64"})
    void o2_momentum_at_a_constant_gradient_is_a_geometric_sum(DType dtype) {
        double rho = 0.9;
        int last = 60;
        try (var steps = new Steps(new SGD().momentum(rho), dtype, START)) {
            for (int t = 1; t <= last; t++) {
                steps.step(0.01, GRADIENTS);
                for (int i = 0; i < START.length; i++) {
                    double want = GRADIENTS[i] * (1 - Math.pow(rho, t)) / (1 - rho);
                    assertNear(want, steps.state("velocity", i), gamma(dtype, 2 * t + 2), "velocity");
                }
            }
        }
    }

    @Test
    void o3_rate_inside_and_outside_part_by_the_old_velocity_when_the_rate_changes() {
        double a = 0.9;
        double before = 0.1;
        double after = 0.01;
        double g = 0.3;
        try (var outside = new Steps(new SGD().momentum(a), DType.F64, 1);
                var inside = new Steps(new SGD().momentum(a).rateInside(), DType.F64, 1)) {
            for (int t = 0; t < 50; t++) {
                outside.step(before, g);
                inside.step(before, g);
                assertNear(outside.x(), inside.x(), 1e-6, "constant rate");
            }
            double velocity = outside.state("velocity", 0);
            assertNear(-before * velocity, inside.state("velocity", 0), 1e-12, "velocity");
            double coasted = 0;
            for (int t = 1; t <= 20; t++) {
                outside.step(after, g);
                inside.step(after, g);
                coasted += Math.pow(a, t);
                assertEquals(-(before - after) * velocity * coasted, inside.x() - outside.x(), 1e-12);
            }
        }
    }

    @Test
    void o4_terminal_speed_is_ten_two_and_a_hundred_times_that_of_descent() {
        double rate = 0.01;
        double g = 0.25;
        for (double[] row : new double[][] {{0.9, 10}, {0.5, 2}, {0.99, 100}}) {
            try (var steps = new Steps(new SGD().momentum(row[0]).rateInside(), DType.F64, 1)) {
                for (int t = 0; t < 2000; t++) {
                    steps.step(rate, g);
                }
                double before = steps.x();
                steps.step(rate, g);
                assertNear(row[1], (before - steps.x()) / (rate * g), 1e-3, "momentum " + row[0]);
            }
        }
    }

    /** The textbook takes the gradient at x + rho * v; f = x^2 / 2. */
    @Test
    void o5_the_parameters_of_nesterov_are_where_the_textbook_looks_ahead() {
        double rate = 0.05;
        double rho = 0.9;
        double x = 1;
        double v = 0;
        try (var inside = new Steps(new SGD().momentum(rho).rateInside().nesterov(), DType.F64, 1);
                var outside = new Steps(new SGD().momentum(rho).nesterov(), DType.F64, 1)) {
            for (int t = 0; t < 1000; t++) {
                inside.descend(rate, y -> y);
                outside.descend(rate, y -> y);
                v = rho * v - rate * (x + rho * v);
                x += v;
                assertEquals(x + rho * v, inside.x(), 1e-12);
                assertEquals(x, inside.x() - rho * inside.state("velocity", 0), 1e-12);
                assertEquals(x + rho * v, outside.x(), 1e-12);
                assertEquals(x, outside.x() + rate * rho * outside.state("velocity", 0), 1e-12);
            }
        }
    }

    @Test
    void o6_both_written_forms_of_the_change_of_variables_agree_with_the_kernel() {
        double rate = 0.02;
        double rho = 0.9;
        double first = 1;
        double second = 1;
        double v = 0;
        double w = 0;
        try (var steps = new Steps(new SGD().momentum(rho).rateInside().nesterov(), DType.F64, 1)) {
            for (int t = 0; t < 1000; t++) {
                double next = rho * v - rate * 3 * first;
                first = first - rho * v + (1 + rho) * next;
                v = next;
                next = rho * w - rate * 3 * second;
                second = second + next + rho * (next - w);
                w = next;
                steps.descend(rate, y -> 3 * y);
                assertEquals(first, second, 1e-12);
                assertEquals(first, steps.x(), 1e-12);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F64"})
    void o7_adagrad_steps_at_a_constant_gradient_shrink_with_the_root_of_time(DType dtype) {
        double rate = 0.1;
        double g = 0.3;
        try (var steps = new Steps(new AdaGrad(), dtype, 0)) {
            double before = 0;
            double size = Double.POSITIVE_INFINITY;
            for (int t = 1; t <= 100; t++) {
                steps.step(rate, g);
                double step = before - steps.x();
                double bound = gamma(dtype, t + 8) * step + unit(dtype) * Math.abs(steps.x());
                assertEquals(rate * g / (Math.sqrt(t) * g + 1e-7), step, bound);
                assertTrue(step < size);
                size = step;
                before = steps.x();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F64"})
    void o8_rmsprop_squares_at_a_constant_gradient_approach_its_square(DType dtype) {
        double d = 0.9;
        try (var steps = new Steps(new RMSProp().rho(d), dtype, START)) {
            for (int t = 1; t <= 60; t++) {
                double before = steps.x();
                steps.step(1e-3, GRADIENTS);
                for (int i = 0; i < START.length; i++) {
                    double want = (1 - Math.pow(d, t)) * GRADIENTS[i] * GRADIENTS[i];
                    assertNear(want, steps.state("squares", i), gamma(dtype, 3 * t + 5), "squares");
                }
                double step = 1e-3 * GRADIENTS[0] / (Math.sqrt(steps.state("squares", 0)) + 1e-7);
                assertEquals(step, before - steps.x(), gamma(dtype, 8) * step + unit(dtype) * Math.abs(before));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F64"})
    void o9_a_coordinate_without_gradient_stays_to_the_bit(DType dtype) {
        try (var steps = new Steps(new RMSProp().rho(0.9).nesterov(0.9).epsilon(0), dtype, 0.1, 0.1)) {
            double start = steps.x(1);
            for (int t = 0; t < 50; t++) {
                steps.step(0.01, 0.3, 0);
                assertEquals(Double.doubleToRawLongBits(start), Double.doubleToRawLongBits(steps.x(1)));
            }
            assertTrue(steps.x(0) < 0.1);
        }
    }

    @Test
    void o9_without_momentum_it_is_rmsprop() {
        KernelCall<String> call = new RMSProp().epsilon(0).nesterov(0.5).update(DType.F32, Group.all(), START.length);
        try (var steps = new Steps(call.set("momentum", 0.0), DType.F32, START);
                var plain = new Steps(new RMSProp().epsilon(0), DType.F32, START)) {
            for (int t = 0; t < 20; t++) {
                steps.step(0.01, GRADIENTS);
                plain.step(0.01, GRADIENTS);
                for (int i = 0; i < START.length; i++) {
                    assertEquals(plain.x(i), steps.x(i));
                }
            }
        }
    }

    /** The algorithm as printed: gradient at theta + a * v, no epsilon; f = x^2 / 2. */
    @Test
    void o9_the_parameters_are_where_the_printed_algorithm_looks_ahead() {
        double a = 0.5;
        double rho = 0.9;
        double rate = 1e-3;
        double theta = 1;
        double v = 0;
        double r = 0;
        try (var steps = new Steps(new RMSProp().rho(rho).nesterov(a).epsilon(0), DType.F64, 1)) {
            for (int t = 0; t < 200; t++) {
                steps.descend(rate, y -> y);
                double g = theta + a * v;
                r = rho * r + (1 - rho) * g * g;
                v = a * v - rate / Math.sqrt(r) * g;
                theta += v;
                assertEquals(theta + a * v, steps.x(), 1e-12);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F64"})
    void o10_adam_constant_gradient_takes_equal_steps(DType dtype) {
        double rate = 1e-3;
        for (double epsilon : new double[] {1e-8, 1e-7}) {
            for (double g : new double[] {0.01, -0.3, 40}) {
                try (var steps = new Steps(new Adam().betas(0.9, 0.999).epsilon(epsilon), dtype, 0)) {
                    double before = 0;
                    for (int t = 1; t <= 300; t++) {
                        steps.step(rate, g);
                        double want = rate * g / (Math.abs(g) + epsilon);
                        // Each moment rounds three times in a step, and a step's share of it fades with its beta.
                        double bound = (3 / (1 - 0.9) + 3 / (1 - 0.999) + 8) * unit(dtype) * rate;
                        assertEquals(want, before - steps.x(), bound + unit(dtype) * Math.abs(before), "step " + t);
                        before = steps.x();
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F64"})
    void o10_the_first_step_of_adam_does_not_depend_on_the_scale_of_the_gradient(DType dtype) {
        double rate = 5e-4;
        try (var small = new Steps(new Adam(), dtype, 0);
                var large = new Steps(new Adam(), dtype, 0)) {
            small.step(rate, 0.01);
            large.step(rate, 10);
            assertNear(small.x(), large.x(), 1e-5, "step");
            assertNear(rate, -small.x(), 1e-5, "about the rate");
        }
    }

    @Test
    void o13_l2_is_a_shrink_by_the_rate_for_sgd_and_another_thing_for_adam() {
        double rate = 0.1;
        double lambda = 0.02;
        Group l2 = Group.all().l2(lambda);
        Group shrink = Group.all().decoupledDecay(lambda);
        try (var penalised = new Steps(new SGD().with(l2), DType.F32, START);
                var shrunk = new Steps(new SGD().with(shrink), DType.F32, START);
                var adam = new Steps(new Adam().with(l2), DType.F32, START);
                var adamW = new Steps(Adam.adamW().with(shrink), DType.F32, START)) {
            penalised.step(rate, GRADIENTS);
            shrunk.step(rate, GRADIENTS);
            adam.step(rate, GRADIENTS);
            adamW.step(rate, GRADIENTS);
            for (int i = 0; i < START.length; i++) {
                double terms = Math.abs(START[i]) * (1 + rate * lambda) + rate * Math.abs(GRADIENTS[i]);
                assertEquals(penalised.x(i), shrunk.x(i), 2 * gamma(DType.F32, 6) * terms);
                double shrinkage = START[i] * (1 - rate * lambda) - START[i];
                assertNotEquals(adam.x(i), adamW.x(i));
                assertEquals(shrinkage, adamW.x(i) - unshrunk(rate, i), gamma(DType.F32, 6) * (terms + rate));
            }
        }
    }

    private static double unshrunk(double rate, int i) {
        try (var plain = new Steps(new Adam(), DType.F32, START)) {
            plain.step(rate, GRADIENTS);
            return plain.x(i);
        }
    }

    @Test
    void t4_descent_on_a_quadratic_is_a_power_of_its_matrix() {
        double[][] a = {{2, 0.5, 0}, {0.5, 1, -0.25}, {0, -0.25, 0.75}};
        double eps = 0.3;
        double[] x = {1, -2, 0.5};
        try (var steps = new Steps(new SGD(), DType.F64, x.clone())) {
            for (int t = 0; t < 100; t++) {
                steps.step(eps, times(a, new double[] {steps.x(0), steps.x(1), steps.x(2)}));
                double[] ax = times(a, x);
                for (int i = 0; i < x.length; i++) {
                    x[i] -= eps * ax[i];
                }
            }
            // (I - eps A)^100 by squaring, another order of operations
            double[][] m = new double[3][3];
            for (int i = 0; i < 3; i++) {
                for (int j = 0; j < 3; j++) {
                    m[i][j] = (i == j ? 1 : 0) - eps * a[i][j];
                }
            }
            double[] want = times(power(m, 100), new double[] {1, -2, 0.5});
            for (int i = 0; i < 3; i++) {
                assertEquals(want[i], steps.x(i), 1e-12);
            }
        }
    }

    private static double[] times(double[][] m, double[] x) {
        double[] y = new double[x.length];
        for (int i = 0; i < y.length; i++) {
            for (int j = 0; j < y.length; j++) {
                y[i] += m[i][j] * x[j];
            }
        }
        return y;
    }

    private static double[][] power(double[][] m, int n) {
        if (n == 1) {
            return m;
        }
        double[][] half = power(m, n / 2);
        double[][] square = product(half, half);
        return n % 2 == 0 ? square : product(square, m);
    }

    private static double[][] product(double[][] a, double[][] b) {
        double[][] c = new double[3][3];
        for (int i = 0; i < 3; i++) {
            for (int j = 0; j < 3; j++) {
                for (int k = 0; k < 3; k++) {
                    c[i][j] += a[i][k] * b[k][j];
                }
            }
        }
        return c;
    }

    @Test
    void settings_out_of_range_are_refused() {
        List<Runnable> wrong = List.of(
                () -> new SGD().momentum(1),
                () -> new SGD().nesterov(),
                () -> new SGD().weightDecay(-1),
                () -> new AdaGrad().epsilon(-1e-9),
                () -> new RMSProp().rho(Double.NaN),
                () -> new RMSProp().nesterov(-0.1),
                () -> new Adam().betas(1, 0.999),
                () -> new Adam().betas(0.9, -1),
                () -> Group.all().rateFactor(-1),
                () -> Group.all().l1(Double.POSITIVE_INFINITY),
                () -> Group.all().maxNorm(0),
                () -> Clipping.norm(0),
                () -> Clipping.value(Double.NaN));
        wrong.forEach(w -> assertThrows(IllegalArgumentException.class, w::run));
    }

    @Test
    void an_optimizer_says_all_that_it_is() {
        String text = new SGD()
                .momentum(0.9)
                .with(Group.of("fc").l2(5e-4))
                .clipped(Clipping.norm(5))
                .toString();
        for (String part : List.of("momentum=0.9", "RATE_OUTSIDE", "pattern=fc", "l2=5.0E-4", "kind=NORM, limit=5.0")) {
            assertTrue(text.contains(part), text);
        }
    }
}
