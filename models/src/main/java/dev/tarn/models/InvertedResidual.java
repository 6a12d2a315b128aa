package dev.tarn.models;

import static dev.tarn.graph.Window.window;

import dev.tarn.graph.Value;
import dev.tarn.graph.Window;
import dev.tarn.nn.Bias;
import dev.tarn.nn.Conv2d;
import dev.tarn.nn.Layer;
import dev.tarn.nn.ReLU6;
import dev.tarn.nn.Sequential;
import dev.tarn.nn.Style;
import java.util.ArrayList;
import java.util.List;

/**
 * A 1x1 convolution that widens, a depthwise one of 3x3 and a 1x1 that narrows without an activation (Sandler et al.,
 * "MobileNetV2: inverted residuals and linear bottlenecks", 2018). The input is added where the sizes allow.
 */
final class InvertedResidual extends Layer {
    private final Sequential conv;
    private final boolean residual;

    /** @param expansion channels of the depthwise convolution for each of the input; 1 needs no widening */
    InvertedResidual(long in, long out, long stride, long expansion, Style style) {
        long hidden = in * expansion;
        List<Layer> layers = new ArrayList<>();
        if (expansion > 1) {
            layers.add(convNormActivation(in, hidden, window(1), 1, style));
        }
        layers.add(convNormActivation(
                hidden, hidden, window(3).stride(stride).padding(1).floor(), hidden, style));
        layers.add(new Conv2d(hidden, out, window(1), Bias.NONE));
        layers.add(style.normalization(out));
        conv = child("conv", new Sequential(layers.toArray(Layer[]::new)));
        residual = stride == 1 && in == out;
    }

    /** Convolution, normalisation, ReLU6. */
    static Layer convNormActivation(long in, long out, Window window, long groups, Style style) {
        return new Sequential(
                new Conv2d(in, out, window, Bias.NONE, groups),
                style.normalization(out),
                style.activation(out, new ReLU6()));
    }

    @Override
    public Value forward(Value x) { // (N, in, H, W) -> (N, out, H/stride, W/stride)
        Value y = conv.forward(x);
        return residual ? x.add(y) : y;
    }
}
