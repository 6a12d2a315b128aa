package dev.tarn.kernel;

import dev.tarn.ffm.kernels.Level;
import dev.tarn.ffm.kernels.NativeVariant;
import dev.tarn.ffm.kernels.TarnLibrary;
import dev.tarn.tensor.DType;
import java.util.List;

/** The kernel library's list of variants, as far as a level may use it. */
public final class Kernels {
    private Kernels() {}

    /** All variants of an operation that a level may use, best first; the reference is last. */
    public static List<NativeVariant> variants(String op, DType dtype, Level level) {
        return TarnLibrary.get().variants().stream()
                .filter(v -> v.op().equals(op)
                        && v.dtype().name().equals(dtype.name())
                        && v.level().compareTo(level) <= 0)
                .toList();
    }

    /**
     * Plans a call for at most {@code n} examples with the first variant that accepts it at the active level.
     *
     * @throws IllegalArgumentException if the library knows no such operation, or no variant accepts the sizes
     */
    public static <P> PlannedKernel<P> plan(KernelCall<P> call, long n) {
        return plan(call, n, KernelLevel.active());
    }

    /** As {@link #plan(KernelCall, long)}, at a given level. */
    public static <P> PlannedKernel<P> plan(KernelCall<P> call, long n, Level level) {
        List<NativeVariant> candidates = variants(call.op(), call.dtype(), level);
        if (candidates.isEmpty()) {
            throw new IllegalArgumentException("no kernel computes " + call.op() + " in " + call.dtype());
        }
        for (NativeVariant variant : candidates) {
            PlannedKernel<P> planned = PlannedKernel.tryPlan(call, variant, call.isBatched() ? n : 1);
            if (planned != null) {
                return planned;
            }
        }
        throw new IllegalArgumentException("no variant of " + call.op() + " accepts " + call);
    }
}
