package dev.tarn.session;

import static java.util.Objects.requireNonNull;

import dev.tarn.data.Batch;
import dev.tarn.graph.Graph;
import dev.tarn.graph.Node;
import dev.tarn.graph.Parameter;
import dev.tarn.graph.Parameter.Role;
import dev.tarn.graph.Value;
import dev.tarn.graph.program.Executor;
import dev.tarn.graph.program.Program;
import dev.tarn.memory.MemoryPlanner;
import dev.tarn.tensor.Tensor;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Layer-sequential unit variance (Mishkin and Matas, "All you need is a good init", 2016): from the first layer with
 * weights to the last, divides these by the standard deviation of what the layer makes of a batch, so that its
 * outputs have variance 1. The method draws the weights orthogonal before.
 *
 * <p>Outputs are those of the convolution or linear layer itself, before a bias or activation, in an inference graph:
 * batch normalisation is still the identity then. They are linear in the weights, so that one scaling is exact up to
 * rounding.
 */
final class Lsuv {
    private static final System.Logger LOG = System.getLogger(Lsuv.class.getName());

    private final Model model;
    private final MemoryPlanner planner = new MemoryPlanner();
    private final Program program;
    private final Value images;
    private final List<Node> layers = new ArrayList<>();

    private Lsuv(Model model, Batch first, SessionOptions options) {
        this.model = model;
        Graph graph = new Graph(Graph.Mode.INFERENCE, model.dtype(), model.seed(), model.table()::path);
        images = graph.input("images", model.dtype(), first.images().shape());
        Value output = model.layer().forward(images);
        graph.keep(output);
        for (Node node : graph.nodes()) {
            if (weight(node) != null) {
                graph.keep(node.output());
                layers.add(node);
            }
        }
        program = Program.plan(
                graph, output, options.threads(), planner); // as traced: a rewrite would fuse what is measured
    }

    private static @Nullable Parameter weight(Node node) {
        return node.inputs().stream()
                .map(Value::parameter)
                .filter(p -> p != null && p.role() == Role.WEIGHT)
                .findFirst()
                .orElse(null);
    }

    /**
     * Rescales the weights of a model. The memory that it takes is free again when it returns.
     *
     * @param options threads and memory budget
     */
    static void rescale(Model model, Batch first, SessionOptions options) {
        var lsuv = new Lsuv(model, first, options);
        try (var core = new SessionCore(model, "initialisation", first.images().shape(), lsuv.planner, options)) {
            lsuv.run(core, first);
        }
    }

    private void run(SessionCore core, Batch first) {
        Executor executor = core.bind(
                program, value -> model.table().slice(model.flat(), requireNonNull(value.parameter(), value.name())));
        for (Node layer : layers) {
            core.enter(first.memory());
            try {
                core.beginRun();
                executor.bindInput(images, first.images().data());
                executor.setBatch(first.size());
                executor.prepare();
                executor.forward();
            } finally {
                core.exit(first.memory());
            }
            double std = std(core.tensor(program, layer.output()));
            if (std > 0 && Double.isFinite(std)) {
                Tensor weight = model.table().tensor(model.flat(), requireNonNull(weight(layer)));
                model.exclusively(() -> divide(weight, std));
            } else {
                LOG.log(
                        Level.WARNING,
                        "the outputs of {0} have no variance; its weights stay as they are",
                        layer.path());
            }
        }
    }

    /** Of all elements, in two passes. */
    private static double std(Tensor tensor) {
        MemorySegment data = tensor.data();
        long count = tensor.shape().elementCount();
        double sum = 0;
        for (long i = 0; i < count; i++) {
            sum += tensor.dtype().get(data, i);
        }
        double mean = sum / count;
        double squares = 0;
        for (long i = 0; i < count; i++) {
            double deviation = tensor.dtype().get(data, i) - mean;
            squares += deviation * deviation;
        }
        return Math.sqrt(squares / count);
    }

    private static void divide(Tensor weight, double divisor) {
        MemorySegment data = weight.data();
        for (long i = 0; i < weight.shape().elementCount(); i++) {
            weight.dtype().set(data, i, weight.dtype().get(data, i) / divisor);
        }
    }
}
