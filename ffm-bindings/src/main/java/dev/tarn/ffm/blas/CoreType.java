package dev.tarn.ffm.blas;

import dev.tarn.ffm.kernels.Level;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which processor OpenBLAS is told to assume. Left alone it asks the processor, but the variable OPENBLAS_CORETYPE overrides
 * that: a weaker core costs up to half the speed, a stronger one ends the process with an illegal instruction.
 *
 * <p>The property {@code tarn.openblas.coretype} decides: {@code env} (the default) obeys the environment unless the core it
 * names is weaker or stronger than the processor, {@code auto} ignores the environment, any other value is a core's name.
 *
 * @param forced value for OPENBLAS_CORETYPE, null: it is removed
 * @param note what was repaired, for people; empty if nothing
 */
record CoreType(@Nullable String forced, String note) {
    private static final Set<String> AVX512 = Set.of("SKYLAKEX", "COOPERLAKE", "SAPPHIRERAPIDS");
    private static final Set<String> AVX2 = Set.of("HASWELL", "ZEN", "EXCAVATOR");
    private static final Set<String> OLDER = Set.of(
            "PRESCOTT",
            "CORE2",
            "PENRYN",
            "DUNNINGTON",
            "NEHALEM",
            "SANDYBRIDGE",
            "ATOM",
            "NANO",
            "OPTERON",
            "OPTERON_SSE3",
            "BARCELONA",
            "BOBCAT",
            "BULLDOZER",
            "PILEDRIVER",
            "STEAMROLLER");

    /**
     * @param property value of tarn.openblas.coretype
     * @param environment value of OPENBLAS_CORETYPE, or null
     */
    static CoreType choose(String property, @Nullable String environment, Level cpu) {
        if (property.equals("auto")) {
            return new CoreType(null, "");
        }
        boolean fromEnvironment = property.equals("env");
        String name = fromEnvironment ? environment : property;
        if (name == null || name.isEmpty()) {
            return new CoreType(null, "");
        }
        Level needed = level(name, cpu);
        String source = fromEnvironment ? "OPENBLAS_CORETYPE=" + name : "tarn.openblas.coretype=" + name;
        if (needed.compareTo(cpu) > 0) {
            return new CoreType(null, source + " needs " + needed + ", this processor has " + cpu + ": ignored");
        }
        if (fromEnvironment && needed.compareTo(cpu) < 0) {
            return new CoreType(
                    null,
                    source + " holds OpenBLAS below this processor's " + cpu + ": ignored (-Dtarn.openblas.coretype="
                            + name + " insists)");
        }
        return new CoreType(name, "");
    }

    /** What a core's kernels need; a name that we do not know is taken for one that fits. */
    private static Level level(String name, Level cpu) {
        String upper = name.toUpperCase(Locale.ROOT);
        return AVX512.contains(upper)
                ? Level.AVX512
                : AVX2.contains(upper) ? Level.AVX2 : OLDER.contains(upper) ? Level.BLAS : cpu;
    }
}
