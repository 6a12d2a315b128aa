package dev.tarn.bench;

import dev.tarn.models.ModelZoo;
import dev.tarn.nn.Layer;
import dev.tarn.tensor.Shape;
import java.nio.file.Path;
import java.util.Random;

/**
 * A network with the batch that it is timed on. The batch is a pure function of this record, by a generator that Java
 * defines to the bit, so that contenders in processes of their own compute on equal numbers.
 *
 * @param model a name of {@link ModelZoo}
 * @param batch images at once
 */
public record Workload(String model, int batch) {
    /** Classes of every network here. */
    public static final int CLASSES = 10;

    /**
     * Small enough that after ten steps the loss is still of order one. Ten times larger and the networks know the
     * batch by heart: a loss of 0.01 differs by a thousandth of itself for no reason but rounding.
     */
    public static final double LEARNING_RATE = 0.001;

    public static final double MOMENTUM = 0.9;

    private static final int SEED = 1;

    public Workload {
        if (batch < 1) {
            throw new IllegalArgumentException("a batch has at least one image, not " + batch);
        }
        ModelZoo.find(model);
    }

    /** (C, H, W) */
    public Shape image() {
        return ModelZoo.find(model).image();
    }

    /** (N, C, H, W) */
    public Shape input() {
        Shape image = image();
        return Shape.of(batch, image.size(0), image.size(1), image.size(2));
    }

    public Layer layer() {
        return ModelZoo.find(model).factory().create(CLASSES, image());
    }

    /** Normally distributed pixels (N, C, H, W), row-major. */
    public float[] images() {
        Random random = new Random(SEED);
        float[] pixels = new float[Math.toIntExact(input().elementCount())];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (float) random.nextGaussian();
        }
        return pixels;
    }

    /** Random classes (N). */
    public int[] labels() {
        return new Random(SEED).ints(batch, 0, CLASSES).toArray();
    }

    /** Where initial weights of the model lie within a folder. */
    public Path weights(Path folder) {
        return folder.resolve(model + ".safetensors");
    }

    /**
     * Mean softmax cross-entropy of logits (N, classes), row-major: how outputs of contenders are compared.
     *
     * <pre>1/N sum_n (log sum_c exp(logits[n][c]) - logits[n][label[n]])</pre>
     */
    public double loss(float[] logits) {
        int[] labels = labels();
        double sum = 0;
        for (int n = 0; n < batch; n++) {
            double largest = Double.NEGATIVE_INFINITY;
            for (int c = 0; c < CLASSES; c++) {
                largest = Math.max(largest, logits[n * CLASSES + c]);
            }
            double exponentials = 0;
            for (int c = 0; c < CLASSES; c++) {
                exponentials += Math.exp(logits[n * CLASSES + c] - largest);
            }
            sum += largest + Math.log(exponentials) - logits[n * CLASSES + labels[n]];
        }
        return sum / batch;
    }
}
