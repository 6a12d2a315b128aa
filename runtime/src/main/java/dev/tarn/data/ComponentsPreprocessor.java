package dev.tarn.data;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Rotates an image into its components, scales these, and rotates it back: V' (V (x - m) / s), in double, row by row
 * of V.
 */
final class ComponentsPreprocessor implements Preprocessor {
    private final int channels;
    private final int plane;
    private final MemorySegment mean; // F64 (D)
    private final MemorySegment components; // F32 (K, D)
    private final double[] deviations; // (K), 1 where the scale is kept
    private final double[] centred; // (D)
    private final double[] rotated; // (K)
    private final double[] restored; // (D)

    /** @param plane pixels of a channel */
    ComponentsPreprocessor(PrincipalComponents statistics, int channels, int plane) {
        this.channels = channels;
        this.plane = plane;
        this.mean = statistics.mean().data();
        this.components = statistics.components().data();
        this.deviations = statistics.variances().toDoubleArray();
        for (int k = 0; k < deviations.length; k++) {
            deviations[k] = statistics.scale() == PrincipalComponents.Scale.KEPT
                    ? 1
                    : Math.sqrt(deviations[k] + PrincipalComponents.EPS);
        }
        this.centred = new double[channels * plane];
        this.rotated = new double[deviations.length];
        this.restored = new double[channels * plane];
    }

    /** The components of the last image. */
    double[] rotated() {
        return rotated;
    }

    void rotate(MemorySegment raw) {
        int features = centred.length;
        for (int f = 0; f < features; f++) {
            int value = raw.get(ValueLayout.JAVA_BYTE, f) & 0xFF;
            centred[f] = value / 255.0 - mean.getAtIndex(ValueLayout.JAVA_DOUBLE_UNALIGNED, f);
        }
        for (int k = 0; k < rotated.length; k++) {
            long row = (long) k * features;
            double sum = 0;
            for (int f = 0; f < features; f++) {
                sum += components.getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, row + f) * centred[f];
            }
            rotated[k] = sum / deviations[k];
        }
    }

    @Override
    public void write(MemorySegment raw, MemorySegment out, long offset) {
        rotate(raw);
        Arrays.fill(restored, 0);
        for (int k = 0; k < rotated.length; k++) {
            long row = (long) k * restored.length;
            for (int f = 0; f < restored.length; f++) {
                restored[f] += components.getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, row + f) * rotated[k];
            }
        }
        for (int c = 0; c < channels; c++) {
            for (int p = 0; p < plane; p++) {
                long target = offset + 4L * ((long) p * channels + c);
                out.set(ValueLayout.JAVA_FLOAT, target, (float) restored[c * plane + p]);
            }
        }
    }
}
