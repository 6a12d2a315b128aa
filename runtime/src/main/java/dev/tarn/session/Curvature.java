package dev.tarn.session;

import dev.tarn.data.Batch;
import dev.tarn.graph.Parameter;
import dev.tarn.nn.loss.Loss;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Rng;
import dev.tarn.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.function.LongToDoubleFunction;

/**
 * The largest curvature of a loss: the eigenvalue of largest size of its Hessian H with respect to all learned numbers, which bounds
 * the rate of descent: rate < 2 / curvature. By power iteration on
 * products of the Hessian with a direction v of length 1, which two gradients give:
 *
 * <pre>H v = (g(w + h v) - g(w - h v)) / 2h + O(h^2)</pre>
 */
public final class Curvature {
    private static final double F64_STEP = 1e-5;
    private static final double F32_STEP = 1e-2;

    private static final int VECTORS = 3;

    private final Shadow shadow;
    private final List<Parameter> learned;
    private final Batch batch;
    private final double step;
    private final MemorySegment start;
    private final MemorySegment direction;
    private final MemorySegment product;

    private Curvature(Model model, Shadow shadow, Batch batch) {
        this.shadow = shadow;
        this.batch = batch;
        learned = model.layer().parametersByPath().values().stream()
                .filter(p -> p.role().isTrainable())
                .toList();
        step = model.dtype() == DType.F64 ? F64_STEP : F32_STEP;
        start = shadow.vector(0);
        direction = shadow.vector(1);
        product = shadow.vector(2);
        long at = 0;
        for (Parameter p : learned) {
            Tensor parameter = shadow.parameter(p);
            for (long i = 0; i < parameter.shape().elementCount(); i++, at++) {
                start.setAtIndex(ValueLayout.JAVA_DOUBLE, at, parameter.getAt(i));
            }
        }
    }

    /**
     * Measures it for one batch, on a copy of the model's parameters. Each iteration takes two steps' time; the error falls by
     * the square of the ratio of the two largest eigenvalues.
     *
     * @param seed of the first direction
     * @return negative where the loss curves downwards most
     * @throws dev.tarn.memory.MemoryBudgetException if the plan is over the budget
     */
    public static double largest(
            Model model, Loss loss, Batch batch, int iterations, long seed, SessionOptions options) {
        try (var shadow = new Shadow(model, batch.images().shape(), loss, options, VECTORS)) {
            return new Curvature(model, shadow, batch).iterate(iterations, seed);
        }
    }

    private double iterate(int iterations, long seed) {
        Rng rng = new Rng(seed, Rng.Stream.GRADIENT_CHECK, 0);
        fill(direction, i -> rng.nextGaussian());
        double eigenvalue = 0;
        for (int iteration = 0; iteration < iterations; iteration++) {
            double length = Math.sqrt(inner(direction, direction));
            if (length == 0) {
                return 0; // flat in every direction that is left
            }
            fill(direction, i -> get(direction, i) / length);
            gradientAt(step);
            addGradient(product, 1 / (2 * step));
            gradientAt(-step);
            addGradient(product, -1 / (2 * step));
            eigenvalue = inner(direction, product);
            direction.copyFrom(product);
            product.fill((byte) 0);
        }
        return eigenvalue;
    }

    /** Leaves the gradient at w + h v. */
    private void gradientAt(double h) {
        long at = 0;
        for (Parameter p : learned) {
            Tensor parameter = shadow.parameter(p);
            for (long i = 0; i < parameter.shape().elementCount(); i++, at++) {
                parameter.setAt(get(start, at) + h * get(direction, at), i);
            }
        }
        shadow.run(batch);
    }

    /** Adds the gradient, times a factor. */
    private void addGradient(MemorySegment sum, double factor) {
        long at = 0;
        for (Parameter p : learned) {
            Tensor gradient = shadow.gradient(p);
            for (long i = 0; i < gradient.shape().elementCount(); i++, at++) {
                double g = gradient.getAt(i);
                sum.setAtIndex(ValueLayout.JAVA_DOUBLE, at, get(sum, at) + factor * g);
            }
        }
    }

    private static double get(MemorySegment vector, long i) {
        return vector.getAtIndex(ValueLayout.JAVA_DOUBLE, i);
    }

    private static void fill(MemorySegment vector, LongToDoubleFunction values) {
        for (long i = 0; i < vector.byteSize() / Double.BYTES; i++) {
            vector.setAtIndex(ValueLayout.JAVA_DOUBLE, i, values.applyAsDouble(i));
        }
    }

    private static double inner(MemorySegment a, MemorySegment b) {
        double sum = 0;
        for (long i = 0; i < a.byteSize() / Double.BYTES; i++) {
            sum += get(a, i) * get(b, i);
        }
        return sum;
    }
}
