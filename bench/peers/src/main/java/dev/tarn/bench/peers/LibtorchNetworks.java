package dev.tarn.bench.peers;

import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * The networks of {@link dev.tarn.models.ModelZoo} in libtorch's functions, in training mode, by the same names of
 * weights.
 */
final class LibtorchNetworks {
    /** From images (N, C, H, W) to logits (N, classes). */
    @FunctionalInterface
    interface Network {
        Tensor forward(Tensor x);
    }

    private static final double BATCH_NORM_MOMENTUM = 0.1;
    private static final double BATCH_NORM_EPS = 1e-5;
    private static final long[] ONE = {1, 1};
    private static final long[] ZERO = {0, 0};
    private static final long[] TWO = {2, 2};

    private final LibtorchWeights weights;

    private LibtorchNetworks(LibtorchWeights weights) {
        this.weights = weights;
    }

    static Network of(String model, LibtorchWeights weights) {
        LibtorchNetworks networks = new LibtorchNetworks(weights);
        Map<String, Network> known = Map.of(
                "lenet5", networks::lenet5,
                "vgg11", networks::vgg11,
                "resnet18", networks::resnet18);
        Network network = known.get(model);
        if (network == null) {
            throw new IllegalArgumentException(
                    "there is no %s in libtorch here; choose one of %s".formatted(model, known.keySet()));
        }
        return network;
    }

    private Tensor lenet5(Tensor x) {
        Tensor y = pool(conv("conv1", x, 1, 2).relu_());
        y = pool(conv("conv2", y, 1, 0).relu_());
        y = linear("fc1", y.flatten(1, -1)).relu_();
        y = linear("fc2", y).relu_();
        return linear("fc3", y);
    }

    /** Layers are numbered as in torchvision's vgg11_bn: those with a running mean are preceded by a convolution. */
    private Tensor vgg11(Tensor x) {
        Tensor y = x;
        int layer = 0;
        while (weights.has("features." + layer + ".weight")) {
            y = conv("features." + layer, y, 1, 1);
            y = batchNorm("features." + (layer + 1), y).relu_();
            layer += 3;
            if (!weights.has("features." + layer + ".weight")) {
                y = pool(y);
                layer++;
            }
        }
        return linear("classifier", y.flatten(1, -1));
    }

    private Tensor resnet18(Tensor x) {
        Tensor y = batchNorm("bn1", conv("conv1", x, 1, 1)).relu_();
        for (int stage = 1; stage <= 4; stage++) {
            y = block("layer" + stage + ".0", y, stage == 1 ? 1 : 2);
            y = block("layer" + stage + ".1", y, 1);
        }
        return linear("fc", torch.adaptive_avg_pool2d(y, ONE).flatten(1, -1));
    }

    private Tensor block(String name, Tensor x, long stride) {
        Tensor y = batchNorm(name + ".bn1", conv(name + ".conv1", x, stride, 1)).relu_();
        y = batchNorm(name + ".bn2", conv(name + ".conv2", y, 1, 1));
        Tensor shortcut = weights.has(name + ".downsample.0.weight")
                ? batchNorm(name + ".downsample.1", conv(name + ".downsample.0", x, stride, 0))
                : x;
        return y.add_(shortcut).relu_();
    }

    private Tensor conv(String name, Tensor x, long stride, long padding) {
        return torch.conv2d(
                x,
                weights.require(name + ".weight"),
                weights.optional(name + ".bias"),
                new long[] {stride, stride},
                new long[] {padding, padding},
                ONE,
                1);
    }

    private Tensor batchNorm(String name, Tensor x) {
        return torch.batch_norm(
                x,
                weights.optional(name + ".weight"),
                weights.optional(name + ".bias"),
                weights.optional(name + ".running_mean"),
                weights.optional(name + ".running_var"),
                true,
                BATCH_NORM_MOMENTUM,
                BATCH_NORM_EPS,
                false);
    }

    private Tensor linear(String name, Tensor x) {
        return torch.linear(x, weights.require(name + ".weight"), weights.optional(name + ".bias"));
    }

    private static Tensor pool(Tensor x) {
        return torch.max_pool2d(x, TWO, TWO, ZERO, ONE, false);
    }
}
