package dev.tarn.bench;

import dev.tarn.tensor.Shape;
import java.util.SplittableRandom;

/** Operands of a layer in logical order, uniform in [-1, 1): equal in every process. */
public record LayerData(LayerShape shape) {
    /** Of batch normalisation. */
    public static final double EPS = 1e-5;

    /** (N, C, H, W) */
    public float[] input() {
        return random(shape.input(), 1);
    }

    /** {@link LayerShape#weight} */
    public float[] weight() {
        return random(shape.weight(), 2);
    }

    /** (N, O, OH, OW) */
    public float[] gradOutput() {
        return random(shape.output(), 3);
    }

    private static float[] random(Shape shape, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] values = new float[Math.toIntExact(shape.elementCount())];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextInt() * 0x1p-31f;
        }
        return values;
    }
}
