package dev.tarn.kernel;

import dev.tarn.ffm.kernels.Level;
import dev.tarn.ffm.kernels.NativeVariant;
import dev.tarn.ffm.kernels.TarnLibrary;
import dev.tarn.tensor.DType;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** The kernel library's list of variants, as far as a level may use it. */
public final class Kernels {
    /**
     * The property that leaves techniques out, so that what they gain and what they err can be measured:
     * {@code -Dtarn.without=winograd,few_channels}.
     */
    public static final String WITHOUT = "tarn.without";

    private Kernels() {}

    private static final class Holder {
        static final Set<String> LEFT_OUT = leftOut(System.getProperty(WITHOUT, ""), techniques());
    }

    /** The techniques that {@value #WITHOUT} leaves out, in alphabetical order. */
    public static Set<String> leftOut() {
        return Holder.LEFT_OUT;
    }

    static Set<String> leftOut(String property, Set<String> known) {
        Set<String> names = new TreeSet<>();
        for (String name : property.split(",")) {
            if (!name.isBlank()) {
                names.add(name.strip());
            }
        }
        if (!known.containsAll(names)) {
            throw new IllegalArgumentException("%s=%s: the techniques are %s".formatted(WITHOUT, property, known));
        }
        return names;
    }

    private static Set<String> techniques() {
        return TarnLibrary.get().variants().stream()
                .map(NativeVariant::technique)
                .filter(technique -> !technique.isEmpty())
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** All variants of an operation that a level may use, best first; the reference is last. */
    public static List<NativeVariant> variants(String op, DType dtype, Level level) {
        return TarnLibrary.get().variants().stream()
                .filter(v -> v.op().equals(op)
                        && v.dtype().name().equals(dtype.name())
                        && v.level().compareTo(level) <= 0
                        && !leftOut().contains(v.technique()))
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
