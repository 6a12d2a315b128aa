package dev.tarn.session;

import dev.tarn.graph.Gradients;
import dev.tarn.graph.Graph;
import dev.tarn.graph.Program;
import dev.tarn.graph.Value;
import dev.tarn.graph.rewrite.Rewrite;
import dev.tarn.memory.Family;
import dev.tarn.memory.MemoryPlanner;
import dev.tarn.nn.Layer;
import dev.tarn.nn.loss.Loss;
import dev.tarn.optim.Optimizer;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;

/** A training session before it has memory: the differentiated graph, its kernels, and every buffer that it asks for. */
final class TrainingPlan {
    final Graph graph;
    final Value images;
    final Value target;
    final Value output;
    final Value loss;
    final Program program;
    final MemoryPlanner planner = new MemoryPlanner();
    final int step;
    final UpdatePlan update;

    TrainingPlan(
            Layer layer,
            ParameterTable table,
            long seed,
            Shape input,
            Loss lossFunction,
            Optimizer optimizer,
            SessionOptions options) {
        if (options.precision() != DType.F32) {
            throw new IllegalArgumentException(
                    "training computes in the model's own type; precision %s is for inference"
                            .formatted(options.precision()));
        }
        graph = new Graph(Graph.Mode.TRAINING, table.dtype(), seed, table::path);
        images = graph.input("images", table.dtype(), input);
        output = layer.forward(images);
        target = lossFunction.target(graph, output.shape());
        loss = lossFunction.forward(output, target);
        graph.keep(output);
        graph.keep(loss);
        Gradients.differentiate(graph, loss);
        step = planner.addPersistent("step", Family.ARGUMENTS, Long.BYTES);
        update = new UpdatePlan(table, optimizer, planner);
        Rewrite.applyAll(graph, options.disabledRewrites());
        program = Program.planWithin(graph, loss, options.threads(), planner, options.memoryBudget());
    }
}
