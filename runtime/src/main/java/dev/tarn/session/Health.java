package dev.tarn.session;

import dev.tarn.data.Batch;
import dev.tarn.graph.op.Activation;
import dev.tarn.nn.loss.Loss;
import dev.tarn.tensor.Shape;
import java.util.List;

/**
 * What the layers of a network do on a pass over images, in training mode: measured when asked for, on a copy of the parameters. A
 * training session knows nothing of it.
 *
 * @param loss mean over the images
 * @param activations by layer that applies one, in the order in which they run
 * @param weights by weight, in the order in which layers state them
 */
public record Health(double loss, List<Activations> activations, List<Weights> weights, GradientNoise noise) {
    /** The size from which on a pre-activation saturates sigmoid and tanh: exp(-3) is a twentieth. */
    public static final double SATURATED = 3;

    /**
     * A layer's activations.
     *
     * @param path of the layer
     * @param saturated share of what goes into the activation that is beyond {@link #SATURATED} in size
     * @param units channels of images, columns of rows
     * @param dead units that were zero for every image and pixel of the pass
     */
    public record Activations(String path, Activation function, double saturated, long units, long dead) {}

    /**
     * A layer's weights.
     *
     * @param path of the parameter
     * @param norm its Euclidean norm
     * @param gradientNorm root of the mean square, over batches, of the norm of a batch's gradient
     */
    public record Weights(String path, double norm, double gradientNorm) {
        /** The norm of a step of plain descent over that of the weights: good training has about 1e-3. */
        public double updateRatio(double rate) {
            return rate * gradientNorm / norm;
        }
    }

    /**
     * Measures a pass. It takes the memory of a training session whose activations all stay, until it returns.
     *
     * @param input shape of the largest batch (N, C, H, W)
     * @param batches at least one; the noise of gradients is that between those of N images
     * @throws dev.tarn.memory.MemoryBudgetException if the plan is over the budget
     * @throws IllegalArgumentException if there is no batch
     */
    public static Health of(Model model, Shape input, Loss loss, Iterable<Batch> batches, SessionOptions options) {
        try (var pass = new HealthPass(model, input, loss, options)) {
            for (Batch batch : batches) {
                pass.add(batch);
            }
            return pass.result();
        }
    }
}
