package dev.tarn.session;

import dev.tarn.graph.Graph;
import dev.tarn.graph.Program;
import dev.tarn.graph.Value;
import dev.tarn.graph.op.ConvertOp;
import dev.tarn.memory.Family;
import dev.tarn.memory.MemoryPlanner;
import dev.tarn.nn.Layer;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;

/** An inference session before it has memory: the graph, its kernels, and every buffer that it asks for. */
final class InferencePlan {
    final Value images;
    final Value output;
    final Program program;
    final MemoryPlanner planner = new MemoryPlanner();
    final int staging;

    InferencePlan(Layer layer, ParameterTable table, long seed, Shape input, SessionOptions options) {
        Graph graph = new Graph(Graph.Mode.INFERENCE, table.dtype(), seed, table::path);
        images = graph.input("images", table.dtype(), input);
        output = options.precision() == DType.BF16
                ? layer.forward(images.apply(new ConvertOp(DType.BF16), "images"))
                        .apply(new ConvertOp(DType.F32), "output")
                : layer.forward(images);
        graph.keep(output);
        program = SessionCore.program(graph, output, options, planner);
        staging = planner.addPersistent("images", Family.STAGING, images.byteSize());
    }
}
