package dev.tarn.kernel;

import dev.tarn.graph.Window;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Layout;
import dev.tarn.tensor.Rng;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** Kernels of the active level, called on tensors without a graph. */
final class Direct {
    private static final long ALIGNMENT = 64;

    private Direct() {}

    static Tensor zeros(DType dtype, Layout layout, long... sizes) {
        Shape shape = Shape.of(sizes);
        return Tensor.view(memory(shape.elementCount() * dtype.byteSize()), dtype, shape, layout);
    }

    /** Uniform in [-1, 1). */
    static Tensor uniform(DType dtype, Layout layout, long seed, long... sizes) {
        Rng rng = new Rng(seed, Rng.Stream.DIGITS, 0);
        Tensor tensor = zeros(dtype, layout, sizes);
        tensor.fill(() -> 2 * rng.nextFloat() - 1);
        return tensor;
    }

    static MemorySegment memory(long bytes) {
        return Arena.ofAuto().allocate(Math.max(1, bytes), ALIGNMENT);
    }

    /** Runs a call for {@code n} examples in one thread. */
    static PlannedKernel<Tensor> run(KernelCall<Tensor> call, long n) {
        PlannedKernel<Tensor> planned = Kernels.plan(call, n);
        BoundKernel bound = planned.bind(
                memory(planned.argumentBytes(1)), 1, Tensor::data, memory(planned.sharedBytes()), new MemorySegment[] {
                    memory(planned.scratchBytes())
                });
        bound.setBatch(n);
        try (var team = new Team(1)) {
            team.run(bound);
        }
        return planned;
    }

    /** x (N, C, H, W) and w (O, C/groups, KH, KW) to (N, O, OH, OW). */
    static Tensor convolve(Tensor x, Tensor w, @Nullable Tensor bias, Window window, long groups) {
        Tensor y = zeros(
                x.dtype(),
                Layout.CHANNELS_LAST,
                x.shape().size(0),
                w.shape().size(0),
                window.outputRows(x.shape().size(2), "rows"),
                window.outputColumns(x.shape().size(3), "columns"));
        run(
                sized("conv2d_forward", x, y, window, groups)
                        .set("input", x)
                        .set("weight", w)
                        .set("bias", bias)
                        .set("output", y),
                x.shape().size(0));
        return y;
    }

    /** The gradient of x that g, the gradient of y, gives. */
    static Tensor gradInput(Tensor g, Tensor w, Shape input, Window window) {
        Tensor x = zeros(g.dtype(), Layout.CHANNELS_LAST, input.toArray());
        run(
                sized("conv2d_backward_data", x, g, window, 1)
                        .set("grad_output", g)
                        .set("weight", w)
                        .set("grad_input", x),
                input.size(0));
        return x;
    }

    /** The gradient of w that g, the gradient of y, gives. */
    static Tensor gradWeight(Tensor x, Tensor g, Shape weight, Window window) {
        Tensor w = zeros(g.dtype(), Layout.WEIGHT, weight.toArray());
        run(
                sized("conv2d_backward_weight", x, g, window, 1)
                        .set("input", x)
                        .set("grad_output", g)
                        .set("grad_weight", w),
                x.shape().size(0));
        return w;
    }

    /** The gradient of the bias. */
    static Tensor gradBias(Tensor g) {
        Tensor bias = zeros(g.dtype(), Layout.WEIGHT, g.shape().size(1));
        run(
                KernelCall.<Tensor>of("bias_backward", g.dtype())
                        .set("hw", g.shape().size(2) * g.shape().size(3))
                        .set("c", g.shape().size(1))
                        .set("grad_output", g)
                        .set("grad_bias", bias),
                g.shape().size(0));
        return bias;
    }

    static KernelCall<Tensor> sized(String op, Tensor x, Tensor y, Window window, long groups) {
        return KernelCall.<Tensor>of(op, x.dtype())
                .set("h", x.shape().size(2))
                .set("w", x.shape().size(3))
                .set("ic", x.shape().size(1))
                .set("oh", y.shape().size(2))
                .set("ow", y.shape().size(3))
                .set("oc", y.shape().size(1))
                .set("kh", window.rows().kernel())
                .set("kw", window.columns().kernel())
                .set("sh", window.rows().stride())
                .set("sw", window.columns().stride())
                .set("pt", window.rows().before())
                .set("pl", window.columns().before())
                .set("dh", window.rows().dilation())
                .set("dw", window.columns().dilation())
                .set("groups", groups);
    }
}
