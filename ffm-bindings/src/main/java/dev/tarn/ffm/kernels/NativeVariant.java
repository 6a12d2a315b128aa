package dev.tarn.ffm.kernels;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Locale;

/**
 * One implementation of an operation, for one number type and one level.
 *
 * @param op the operation, for instance {@code conv2d_forward}
 * @param args name of its argument struct, a key of {@link TarnLibrary#structs()}
 * @param planner address for {@link TarnLibrary#plan}
 * @param phases addresses for {@link TarnLibrary#run}, one for each phase, in order; at least one
 * @param technique tells variants of one level apart, for instance {@code few_channels}; empty for the one that takes all
 *     shapes
 */
public record NativeVariant(
        String op,
        String args,
        NativeType dtype,
        Level level,
        MemorySegment planner,
        List<MemorySegment> phases,
        String technique) {

    /**
     * The symbol in the native library without its prefix, for instance {@code conv2d_forward_f32__avx2} or
     * {@code conv2d_forward_f32__avx2_few_channels}.
     */
    public String name() {
        return op + "_" + dtype.name().toLowerCase(Locale.ROOT) + "__"
                + level.name().toLowerCase(Locale.ROOT)
                + (technique.isEmpty() ? "" : "_" + technique);
    }
}
