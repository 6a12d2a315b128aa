package dev.tarn.kernel;

import dev.tarn.ffm.blas.OpenBlas;
import dev.tarn.ffm.kernels.Level;
import dev.tarn.ffm.kernels.NativeVariant;
import dev.tarn.ffm.kernels.TarnLibrary;
import java.util.List;
import java.util.Locale;

/** Which kernels this process may use. */
public final class KernelLevel {
    /** The property that forces a level: {@code -Dtarn.level=ref}. */
    public static final String PROPERTY = "tarn.level";

    private KernelLevel() {}

    private static final class Holder {
        static final Level ACTIVE = choose();
    }

    /** The level in use: the highest that the machine can run, or a lower one that {@value #PROPERTY} names. */
    public static Level active() {
        return Holder.ACTIVE;
    }

    /** The highest level that the machine can run; {@link Level#REF} on other processors if OpenBLAS is missing too. */
    public static Level detected() {
        Level cpu = TarnLibrary.get().cpuLevel();
        return cpu == Level.BLAS && OpenBlas.get().isEmpty() ? Level.REF : cpu;
    }

    /**
     * The active level as the property takes it: {@code ref}, {@code blas}, {@code avx2}, {@code avx512}, {@code avx512_bf16} or
     * {@code amx}, which differ in BF16 only; on Arm {@code neon}.
     */
    public static String label() {
        return label(active());
    }

    /** All levels that this machine can run, lowest first. */
    public static List<Level> available() {
        return TarnLibrary.get().variants().stream()
                .map(NativeVariant::level)
                .distinct()
                .filter(l -> l.compareTo(detected()) <= 0)
                .filter(l -> l != Level.BLAS || OpenBlas.get().isPresent())
                .sorted()
                .toList();
    }

    /** {@link #available} as the property takes them. */
    public static List<String> availableLabels() {
        return available().stream().map(KernelLevel::label).toList();
    }

    private static String label(Level level) {
        return level.name().toLowerCase(Locale.ROOT);
    }

    private static Level choose() {
        String forced = System.getProperty(PROPERTY, "");
        if (forced.isBlank()) {
            return detected();
        }
        return available().stream()
                .filter(l -> label(l).equals(forced))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "%s=%s: this machine runs the levels %s".formatted(PROPERTY, forced, availableLabels())));
    }
}
