package dev.tarn.session;

import dev.tarn.graph.Gradients;
import dev.tarn.graph.Graph;
import dev.tarn.graph.Parameter.Role;
import dev.tarn.graph.Program;
import dev.tarn.graph.Value;
import dev.tarn.kernel.Kernels;
import dev.tarn.kernel.PlannedKernel;
import dev.tarn.memory.Family;
import dev.tarn.memory.MemoryPlanner;
import dev.tarn.nn.Layer;
import dev.tarn.nn.loss.Loss;
import dev.tarn.optim.Optimizer;
import dev.tarn.optim.Optimizer.Decay;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A training session before it has memory: the differentiated graph, its kernels, and every buffer that it asks for. */
final class TrainingPlan {
    /** One range of flat memory, the kernel that updates it, and the buffer of its arguments. */
    record Update(PlannedKernel<String> kernel, Role role, int arguments) {}

    final Graph graph;
    final Value images;
    final Value target;
    final Value output;
    final Value loss;
    final Program program;
    final MemoryPlanner planner = new MemoryPlanner();
    final int gradients;
    final Map<String, Integer> state = new LinkedHashMap<>();
    final int rate;
    final int step;
    final List<Update> updates = new ArrayList<>();

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
        program = SessionCore.program(graph, loss, options, planner);
        gradients = planner.addPersistent("gradients", Family.GRADIENTS, table.trainableByteSize());
        for (String name : optimizer.state()) {
            state.put(name, planner.addPersistent(name, Family.OPTIMIZER, table.trainableByteSize()));
        }
        rate = planner.addPersistent("learning rate", Family.ARGUMENTS, Double.BYTES);
        step = planner.addPersistent("step", Family.ARGUMENTS, Long.BYTES);
        for (Role role : Role.values()) {
            long count = table.rangeByteSize(role) / table.dtype().byteSize();
            if (role.isTrainable() && count > 0) {
                Decay decay = role == Role.WEIGHT ? Decay.APPLIES : Decay.EXEMPT;
                PlannedKernel<String> kernel = Kernels.plan(optimizer.update(table.dtype(), decay, count), 1);
                if (kernel.sharedBytes() != 0 || kernel.scratchBytes() != 0) {
                    throw new IllegalStateException("optimizer kernels work in place: " + kernel.name());
                }
                updates.add(new Update(
                        kernel, role, planner.addPersistent("update", Family.ARGUMENTS, kernel.argumentBytes(1))));
            }
        }
    }
}
