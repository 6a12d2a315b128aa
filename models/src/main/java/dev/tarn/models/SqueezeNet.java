package dev.tarn.models;

import static dev.tarn.graph.Window.window;

import dev.tarn.graph.Value;
import dev.tarn.nn.Conv2d;
import dev.tarn.nn.Dropout;
import dev.tarn.nn.Layer;
import dev.tarn.nn.MaxPool2d;
import dev.tarn.nn.Sequential;
import dev.tarn.nn.Style;

/**
 * SqueezeNet 1.1 (Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and &lt;0.5MB model size", 2016; 1.1
 * is its authors' later version, with 2.4 times less to compute) for images of 224 x 224 as torchvision builds it, names included.
 */
public final class SqueezeNet extends Layer {
    private static final int LAST = 512;

    private final Layer features;
    private final Layer classifier;

    public SqueezeNet(int classes, long channels) {
        this(classes, channels, Style.OWN);
    }

    /**
     * @param style in place of ReLU and a dropout of one half
     * @throws IllegalArgumentException if it names a normalisation
     */
    public SqueezeNet(int classes, long channels, Style style) {
        style.refuseNormalization("squeezenet1_1");
        features = child(
                "features",
                new Sequential(
                        new Conv2d(channels, 64, window(3).stride(2).floor()),
                        style.activation(64),
                        pool(),
                        new Fire(64, 16, 64, style),
                        new Fire(128, 16, 64, style),
                        pool(),
                        new Fire(128, 32, 128, style),
                        new Fire(256, 32, 128, style),
                        pool(),
                        new Fire(256, 48, 192, style),
                        new Fire(384, 48, 192, style),
                        new Fire(384, 64, 256, style),
                        new Fire(512, 64, 256, style)));
        classifier = child(
                "classifier",
                new Sequential(
                        style.dropout(new Dropout()), new Conv2d(LAST, classes, window(1)), style.activation(classes)));
    }

    /** Rounds sizes up, as PyTorch's ceil_mode: a last row and column that lie outside where the size is even. */
    private static Layer pool() {
        return new MaxPool2d(window(3).stride(2).padding(0, 0, 1, 1).floor());
    }

    @Override
    public Value forward(Value x) { // (N, C, H, W) -> (N, classes)
        return classifier.forward(features.forward(x)).globalAvgPool2d();
    }

    /** A 1x1 convolution to few channels, then one of 1x1 and one of 3x3 side by side, which see all of those. */
    static final class Fire extends Layer {
        private final Conv2d squeeze;
        private final Layer squeezeActivation;
        private final Conv2d expand1x1;
        private final Layer expand1x1Activation;
        private final Conv2d expand3x3;
        private final Layer expand3x3Activation;

        Fire(long in, long squeezed, long expanded, Style style) {
            squeeze = child("squeeze", new Conv2d(in, squeezed, window(1)));
            squeezeActivation = child("squeeze_activation", style.activation(squeezed));
            expand1x1 = child("expand1x1", new Conv2d(squeezed, expanded, window(1)));
            expand1x1Activation = child("expand1x1_activation", style.activation(expanded));
            expand3x3 =
                    child("expand3x3", new Conv2d(squeezed, expanded, window(3).padding(1)));
            expand3x3Activation = child("expand3x3_activation", style.activation(expanded));
        }

        @Override
        public Value forward(Value x) { // (N, in, H, W) -> (N, 2 expanded, H, W)
            Value y = squeezeActivation.forward(squeeze.forward(x));
            return expand1x1Activation
                    .forward(expand1x1.forward(y))
                    .concat(expand3x3Activation.forward(expand3x3.forward(y)));
        }
    }
}
