package dev.tarn.bench;

import dev.tarn.models.ModelZoo;
import dev.tarn.nn.Layer;
import dev.tarn.nn.Style;
import dev.tarn.tensor.Shape;
import java.util.Random;

/**
 * A network with the batch that it is timed on. The batch is a pure function of this record, by a generator that Java
 * defines to the bit, so that contenders in processes of their own compute on equal numbers.
 *
 * @param model a name of {@link ModelZoo}
 * @param batch images at once
 * @param side rows and columns of an image
 */
public record Workload(String model, int batch, long side) {
    /** Batches whose losses contenders have to agree on before their times count. */
    public static final int COMPARED_STEPS = 3;

    public static final double LEARNING_RATE = 1e-4;

    public static final double MOMENTUM = 0.9;

    private static final Style NO_DROPOUT = new Style(null, null, 1.0);

    /** Images of photographs are this large; networks for them tell ImageNet's classes apart. */
    private static final int PHOTOGRAPH = 224;

    public Workload {
        if (batch < 1) {
            throw new IllegalArgumentException("a batch has at least one image, not " + batch);
        }
        ModelZoo.find(model);
    }

    /** On images of the size that the network is made for. */
    public Workload(String model, int batch) {
        this(model, batch, ModelZoo.find(model).image().size(1));
    }

    /** The network and batch of a job. */
    public static Workload of(Job job) {
        return new Workload(job.subject(), job.batch());
    }

    public int classes() {
        return ModelZoo.find(model).image().size(1) == PHOTOGRAPH ? 1000 : 10;
    }

    /** (C, H, W) */
    public Shape image() {
        return Shape.of(ModelZoo.find(model).image().size(0), side, side);
    }

    /** (N, C, H, W) */
    public Shape input() {
        Shape image = image();
        return Shape.of(batch, image.size(0), image.size(1), image.size(2));
    }

    /** The network without dropout, for which every library draws other numbers. */
    public Layer layer() {
        return ModelZoo.find(model).factory().create(classes(), image(), NO_DROPOUT);
    }

    /** Normally distributed pixels (N, C, H, W), row-major. */
    public float[] images() {
        Random random = new Random(batch);
        float[] pixels = new float[Math.toIntExact(input().elementCount())];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (float) random.nextGaussian();
        }
        return pixels;
    }

    /** Random classes (N). */
    public int[] labels() {
        return new Random(batch).ints(batch, 0, classes()).toArray();
    }
}
