package dev.tarn.nn;

import dev.tarn.graph.Value;
import java.util.ArrayList;
import java.util.List;

/** Layers one after the other, named 0, 1, 2 and so on. */
public final class Sequential extends Layer {
    private final List<Layer> layers = new ArrayList<>();

    public Sequential(Layer... layers) {
        for (Layer layer : layers) {
            this.layers.add(child(Integer.toString(this.layers.size()), layer));
        }
    }

    @Override
    public Value forward(Value x) {
        Value y = x;
        for (Layer layer : layers) {
            y = layer.forward(y);
        }
        return y;
    }
}
