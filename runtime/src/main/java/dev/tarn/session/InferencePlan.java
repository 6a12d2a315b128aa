package dev.tarn.session;

import dev.tarn.graph.Graph;
import dev.tarn.graph.Value;
import dev.tarn.graph.op.ConvertOp;
import dev.tarn.graph.program.Program;
import dev.tarn.memory.Family;
import dev.tarn.memory.MemoryPlan;
import dev.tarn.memory.MemoryPlanner;
import dev.tarn.nn.Layer;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;
import java.util.Arrays;

/**
 * An inference session before it has memory: the graph, its kernels, and every buffer that it asks for. The graph is that of a
 * part of the batch, and a run walks the batch part by part, so that activations stay in caches and do not grow with the batch.
 */
final class InferencePlan {
    /** Activations that are alive at once and take no more than this stay near the processor's cores anyway. */
    private static final long CACHED_BYTES = 8 << 20;

    /** The shape of the largest batch. */
    final Shape input;

    /** A part of a batch. */
    final Value images;

    final Value output;
    final Program program;
    final MemoryPlanner planner = new MemoryPlanner();
    final int staging;

    /** Where the outputs of all parts are gathered; -1 where the whole batch is one part. */
    final int results;

    /** The number of the pass, where layers draw. */
    final int step;

    InferencePlan(Layer layer, ParameterTable table, long seed, Shape input, SessionOptions options) {
        this(layer, table, seed, input, Graph.Randomness.EXPECTED, options);
    }

    InferencePlan(
            Layer layer,
            ParameterTable table,
            long seed,
            Shape input,
            Graph.Randomness randomness,
            SessionOptions options) {
        this(layer, table, seed, input, part(layer, table, seed, input, randomness, options), randomness, options);
    }

    private InferencePlan(
            Layer layer,
            ParameterTable table,
            long seed,
            Shape input,
            long part,
            Graph.Randomness randomness,
            SessionOptions options) {
        this.input = input;
        Graph graph = new Graph(Graph.Mode.INFERENCE, randomness, table.dtype(), seed, table::path);
        images = graph.input("images", table.dtype(), batchOf(part, input));
        output = options.precision() == DType.BF16
                ? layer.forward(images.apply(new ConvertOp(DType.BF16), "images"))
                        .apply(new ConvertOp(DType.F32), "output")
                : layer.forward(images);
        graph.keep(output);
        program = SessionCore.program(graph, output, options, planner);
        staging = planner.addPersistent(
                "images", Family.STAGING, input.elementCount() * table.dtype().byteSize());
        results = part < input.size(0)
                ? planner.addPersistent(
                        "results",
                        Family.STAGING,
                        resultShape().elementCount() * output.dtype().byteSize())
                : -1;
        step = randomness == Graph.Randomness.DRAWN ? planner.addPersistent("step", Family.ARGUMENTS, Long.BYTES) : -1;
    }

    /** What the network gives for the largest batch. */
    Shape resultShape() {
        return batchOf(input.size(0), output.shape());
    }

    /** Images of a part. */
    long part() {
        return images.shape().size(0);
    }

    /**
     * Each part reads all weights again, so its activations shall weigh as much as they; parts are as equal as can be.
     *
     * <pre>least = ceil(max(weights, CACHED_BYTES) / activations of one image), part = ceil(n / max(1, floor(n / least)))</pre>
     */
    private static long part(
            Layer layer,
            ParameterTable table,
            long seed,
            Shape input,
            Graph.Randomness randomness,
            SessionOptions options) {
        long n = input.size(0);
        if (n == 1) {
            return 1;
        }
        MemoryPlan single = new InferencePlan(layer, table, seed, input, 1, randomness, options).planner.plan();
        long image = Math.max(1, single.peakBytes(Family.ACTIVATIONS));
        DType stored = options.precision() == DType.BF16 ? DType.BF16 : table.dtype();
        long weights = table.trainableCount() * stored.byteSize();
        long least = Math.ceilDiv(Math.max(weights, CACHED_BYTES), image);
        return Math.ceilDiv(n, Math.max(1, n / least));
    }

    private static Shape batchOf(long n, Shape shape) {
        long[] sizes = new long[shape.rank()];
        Arrays.setAll(sizes, i -> i == 0 ? n : shape.size(i));
        return Shape.of(sizes);
    }
}
