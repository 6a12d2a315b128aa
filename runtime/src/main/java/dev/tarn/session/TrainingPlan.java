package dev.tarn.session;

import dev.tarn.graph.Gradients;
import dev.tarn.graph.Graph;
import dev.tarn.graph.Node;
import dev.tarn.graph.Value;
import dev.tarn.graph.program.Program;
import dev.tarn.graph.rewrite.Rewrite;
import dev.tarn.memory.Family;
import dev.tarn.memory.MemoryPlanner;
import dev.tarn.nn.Layer;
import dev.tarn.nn.loss.Loss;
import dev.tarn.optim.Optimizer;
import dev.tarn.session.UpdatePlan.State;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;
import java.util.List;

/** A training session before it has memory: the differentiated graph, its kernels, and every buffer that it asks for. */
final class TrainingPlan {
    final Graph graph;
    final Value images;
    final Value target;
    final Value output;
    final Value loss;
    final Program program;
    final MemoryPlanner planner = new MemoryPlanner();
    /** The settings of a run: step and the divisor of the loss, eight bytes each. */
    final int settings;

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
        Rewrite.applyAll(graph, options.disabledRewrites());
        settings = planner.addPersistent("settings", Family.ARGUMENTS, 2 * Long.BYTES);
        int before = planner.size();
        List<Node> nodes = List.copyOf(graph.nodes());
        UpdatePlan resident = new UpdatePlan(table, optimizer, State.IN_MEMORY, planner);
        Program within = Program.planWithin(graph, loss, options.threads(), planner, options.memoryBudget());
        boolean fits = planner.plan().byteSize() <= options.memoryBudget();
        if (!fits && table.trainableByteSize() > 2 * UpdatePlan.WINDOW && !resident.state.isEmpty()) {
            planner.shrink(before);
            graph.nodes().clear();
            graph.nodes().addAll(nodes);
            update = new UpdatePlan(table, optimizer, State.SPILLED, planner);
            program = Program.planWithin(graph, loss, options.threads(), planner, options.memoryBudget());
        } else {
            update = resident;
            program = within;
        }
    }

    /** What goes to a file in each step and comes back from it. */
    long spilledBytes() {
        return program.spill().byteSize() + update.file.byteSize();
    }
}
