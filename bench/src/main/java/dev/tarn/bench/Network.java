package dev.tarn.bench;

import dev.tarn.graph.Graph;
import dev.tarn.graph.Node;
import dev.tarn.graph.Parameter;
import dev.tarn.graph.Value;
import dev.tarn.graph.Window;
import dev.tarn.graph.op.Activation;
import dev.tarn.graph.op.ActivationOp;
import dev.tarn.graph.op.AddOp;
import dev.tarn.graph.op.BatchNormOp;
import dev.tarn.graph.op.BiasOp;
import dev.tarn.graph.op.ConcatOp;
import dev.tarn.graph.op.Conv2dOp;
import dev.tarn.graph.op.FlattenOp;
import dev.tarn.graph.op.Pool2dOp;
import dev.tarn.tensor.DType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A network as a list of the operations that every library has, traced from our own layers: what other contenders
 * build theirs from, so that all run the same network.
 *
 * @param steps in the order in which they run; the first reads {@link #IMAGES}, the last gives the logits
 */
public record Network(List<Step> steps) {
    /** The name of the network's input. */
    public static final String IMAGES = "images";

    /** What a step computes. */
    public enum Op {
        CONV,
        LINEAR,
        BATCH_NORM,
        RELU,
        RELU6,
        ADD,
        CONCAT,
        MAX_POOL,
        AVERAGE_POOL,
        GLOBAL_AVERAGE_POOL,
        FLATTEN
    }

    /**
     * One operation.
     *
     * @param inputs names of what it reads
     * @param output name of what it writes, which is valid in any language: a letter and digits
     * @param parameters weight and, if there is one, bias; of batch normalisation also running mean and variance
     * @param window of convolutions and pooling
     * @param groups of convolutions
     * @param eps of batch normalisation
     */
    public record Step(
            Op op,
            List<String> inputs,
            String output,
            List<String> parameters,
            @Nullable Window window,
            long groups,
            double eps) {
        /** The main input. */
        public String input() {
            return inputs.getFirst();
        }

        /** The parameter at a place; null if there is none. */
        public @Nullable String parameter(int place) {
            return place < parameters.size() ? parameters.get(place) : null;
        }

        Step with(List<String> otherParameters, String otherOutput) {
            return new Step(op, inputs, otherOutput, otherParameters, window, groups, eps);
        }
    }

    public Network {
        steps = List.copyOf(steps);
    }

    /** Traces the network of a workload. */
    public static Network of(Workload workload) {
        var layer = workload.layer();
        Map<Parameter, String> paths = new HashMap<>();
        layer.parametersByPath().forEach((path, parameter) -> paths.put(parameter, path));
        Graph graph = new Graph(Graph.Mode.INFERENCE, DType.F32, 0, parameter -> paths.getOrDefault(parameter, ""));
        layer.forward(graph.input(IMAGES, DType.F32, workload.input()));
        Map<Value, String> names = new HashMap<>();
        graph.inputs().forEach(input -> names.put(input, IMAGES));
        List<Step> steps = new ArrayList<>();
        for (Node node : graph.nodes()) {
            String output = "v" + (steps.size() + 1);
            if (node.op() instanceof BiasOp) {
                Step sums = steps.removeLast();
                output = sums.output();
                steps.add(sums.with(
                        List.of(sums.parameters().getFirst(), node.input(1).name()), output));
            } else {
                steps.add(step(node, names, output));
            }
            names.put(node.output(), output);
        }
        return new Network(steps);
    }

    private static Step step(Node node, Map<Value, String> names, String output) {
        List<String> inputs = new ArrayList<>();
        List<String> parameters = new ArrayList<>();
        for (Value input : node.inputs()) {
            if (input.parameter() == null) {
                inputs.add(names.get(input));
            } else {
                parameters.add(input.name());
            }
        }
        Value x = node.input(0);
        return switch (node.op()) {
            case Conv2dOp conv -> {
                Op op = x.shape().rank() == 4 ? Op.CONV : Op.LINEAR;
                yield new Step(op, inputs, output, parameters, conv.window(), conv.groups(), 0);
            }
            case BatchNormOp norm -> new Step(Op.BATCH_NORM, inputs, output, parameters, null, 1, norm.eps());
            case ActivationOp act -> {
                Op op = act.activation() == Activation.RELU6 ? Op.RELU6 : Op.RELU;
                yield new Step(op, inputs, output, parameters, null, 1, 0);
            }
            case AddOp _ -> new Step(Op.ADD, inputs, output, parameters, null, 1, 0);
            case ConcatOp _ -> new Step(Op.CONCAT, inputs, output, parameters, null, 1, 0);
            case FlattenOp _ -> new Step(Op.FLATTEN, inputs, output, parameters, null, 1, 0);
            case Pool2dOp pool
            when pool.kind() == Pool2dOp.Kind.MAX ->
                new Step(Op.MAX_POOL, inputs, output, parameters, pool.window(), 1, 0);
            case Pool2dOp pool
            when pool.window().rows().kernel() == x.shape().size(2)
                    && pool.window().columns().kernel() == x.shape().size(3) ->
                new Step(Op.GLOBAL_AVERAGE_POOL, inputs, output, parameters, null, 1, 0);
            case Pool2dOp pool
            when pool.divisor() == Pool2dOp.Padding.INCLUDED || isUnpadded(pool.window()) ->
                new Step(Op.AVERAGE_POOL, inputs, output, parameters, pool.window(), 1, 0);
            default -> throw new IllegalArgumentException("no other library is told about " + node);
        };
    }

    private static boolean isUnpadded(Window window) {
        return Stream.of(window.rows(), window.columns()).allMatch(a -> a.before() == 0 && a.after() == 0);
    }

    /** How many steps read a value. */
    public long readers(String value) {
        return steps.stream().filter(step -> step.inputs().contains(value)).count();
    }

    /** A network and its weights after {@link #fold}. */
    public record Folded(Network network, Weights weights) {}

    /**
     * Folds each batch normalisation into the convolution before it, in double precision:
     *
     * <pre>w' = w * g, b' = (b - mean) * g + beta, where g = gamma / sqrt(var + eps)</pre>
     */
    public Folded fold(Weights weights) {
        Map<String, Weights.Array> arrays = new LinkedHashMap<>();
        List<Step> folded = new ArrayList<>();
        for (Step step : steps) {
            Step last = folded.isEmpty() ? null : folded.getLast();
            if (step.op() == Op.BATCH_NORM
                    && last != null
                    && last.op() == Op.CONV
                    && last.output().equals(step.input())) {
                String bias = last.parameters().getFirst() + ".folded";
                foldInto(arrays, last, step, bias, weights);
                folded.removeLast();
                folded.add(last.with(List.of(last.parameters().getFirst(), bias), step.output()));
            } else {
                step.parameters().forEach(name -> arrays.put(name, weights.array(name)));
                folded.add(step);
            }
        }
        return new Folded(new Network(folded), new Weights(arrays));
    }

    private static void foldInto(
            Map<String, Weights.Array> arrays, Step conv, Step norm, String biasName, Weights weights) {
        String name = conv.parameters().getFirst();
        float[] w = weights.array(name).values();
        float[] gamma = weights.array(norm.parameters().get(0)).values();
        float[] bias = new float[gamma.length];
        String oldBias = conv.parameter(1);
        float[] b = oldBias == null
                ? new float[bias.length]
                : weights.array(oldBias).values();
        float[] beta = weights.array(norm.parameters().get(1)).values();
        float[] mean = weights.array(norm.parameters().get(2)).values();
        float[] variance = weights.array(norm.parameters().get(3)).values();
        int window = w.length / gamma.length;
        for (int o = 0; o < gamma.length; o++) {
            double g = gamma[o] / Math.sqrt(variance[o] + norm.eps());
            for (int i = o * window; i < (o + 1) * window; i++) {
                w[i] = (float) (w[i] * g);
            }
            bias[o] = (float) ((b[o] - mean[o]) * g + beta[o]);
        }
        arrays.put(name, new Weights.Array(weights.array(name).shape(), () -> w));
        arrays.put(biasName, new Weights.Array(new long[] {bias.length}, () -> bias));
        if (oldBias != null) {
            arrays.remove(oldBias);
        }
    }
}
