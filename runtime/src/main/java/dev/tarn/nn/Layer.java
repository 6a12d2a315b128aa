package dev.tarn.nn;

import dev.tarn.graph.Fan;
import dev.tarn.graph.Initializer;
import dev.tarn.graph.Parameter;
import dev.tarn.graph.Value;
import dev.tarn.tensor.Shape;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A building block of any size, from one convolution to a whole network. It states its children and parameters when it is
 * constructed and its computation in {@link #forward}; it holds no memory, so one layer can describe many models.
 *
 * <p>A parameter's path is the names on the way to it: {@code layer1.0.conv1.weight}. Names equal torchvision's where a network
 * is known there, so its files load.
 */
public abstract class Layer {
    private final Map<String, Layer> children = new LinkedHashMap<>();
    private final Map<String, Parameter> parameters = new LinkedHashMap<>();
    private @Nullable Layer parent;
    private String name = "";

    /** Traces the computation: takes and returns values, which have shapes and no bytes. Called once for each session. */
    public abstract Value forward(Value x);

    /**
     * Makes a layer part of this one.
     *
     * @throws IllegalArgumentException if the name is taken or the layer already is part of another
     */
    protected final <L extends Layer> L child(String childName, L child) {
        Layer layer = child;
        if (layer.parent != null) {
            throw new IllegalArgumentException(
                    "layer %s is part of another layer already; make a new one".formatted(layer.path()));
        }
        if (children.putIfAbsent(childName, child) != null || parameters.containsKey(childName)) {
            throw new IllegalArgumentException("there are two parts named " + childName);
        }
        layer.parent = this;
        layer.name = childName;
        return child;
    }

    /** States a parameter of this layer. */
    protected final Parameter parameter(
            String parameterName, Shape shape, Parameter.Role role, Initializer initializer) {
        return parameter(parameterName, shape, role, 1, initializer);
    }

    /** States a parameter of a layer whose channels fall into groups. */
    protected final Parameter parameter(
            String parameterName, Shape shape, Parameter.Role role, long groups, Initializer initializer) {
        Parameter parameter = new Parameter(parameterName, shape, role, Fan.of(shape, groups), initializer);
        if (parameters.putIfAbsent(parameterName, parameter) != null || children.containsKey(parameterName)) {
            throw new IllegalArgumentException("there are two parts named " + parameterName);
        }
        return parameter;
    }

    /** The names on the way to this layer, with dots; empty for the outermost. */
    public final String path() {
        Layer p = parent;
        if (p == null) {
            return name;
        }
        String above = p.path();
        return above.isEmpty() ? name : above + "." + name;
    }

    /** The path of this layer for reports: its type where it is the outermost. */
    protected final String label() {
        String path = path();
        return path.isEmpty() ? getClass().getSimpleName() : path;
    }

    /** All parameters of this layer and its parts by path, in the order in which they were stated. */
    public final Map<String, Parameter> parametersByPath() {
        Map<String, Parameter> all = new LinkedHashMap<>();
        collect("", all);
        return all;
    }

    /** This layer under its own label and all its parts by path. */
    public final Map<String, Layer> layersByPath() {
        Map<String, Layer> all = new LinkedHashMap<>();
        collectLayers(all);
        return all;
    }

    private void collectLayers(Map<String, Layer> all) {
        all.put(label(), this);
        children.values().forEach(c -> c.collectLayers(all));
    }

    private void collect(String prefix, Map<String, Parameter> all) {
        parameters.forEach((n, p) -> all.put(prefix + n, p));
        children.forEach((n, c) -> c.collect(prefix + n + ".", all));
    }
}
