package dev.tarn.session;

import dev.tarn.graph.Graph;
import dev.tarn.graph.Node;
import dev.tarn.graph.Value;
import dev.tarn.memory.MemoryPlan;
import dev.tarn.nn.Layer;
import dev.tarn.nn.loss.Loss;
import dev.tarn.optim.Optimizer;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What a network is made of and what a session on it would take, found by tracing alone: nothing is allocated or run.
 *
 * @param rows in the order in which they run, forward
 * @param parameters learned numbers
 * @param forwardFlops multiplications and additions of a forward pass over a whole batch
 * @param flops of a whole run or step, backward included
 * @param plan memory of the model and the session together
 */
public record Summary(List<Row> rows, long parameters, long forwardFlops, long flops, MemoryPlan plan) {
    /**
     * A layer, or an operation between layers.
     *
     * @param name its path
     * @param type the layer's class, or the operation's name
     * @param output logical shape
     * @param parameters learned numbers
     * @param flops forward, of a whole batch
     */
    public record Row(String name, String type, Shape output, long parameters, long flops) {}

    /** Of an inference session. */
    public static Summary ofInference(Layer layer, Shape input, SessionOptions options) {
        var table = new ParameterTable(layer, DType.F32);
        List<Row> rows = rows(layer, table, input, Graph.Mode.INFERENCE);
        var session = new InferencePlan(layer, table, 0, input, options);
        long flops = rows.stream().mapToLong(Row::flops).sum();
        return new Summary(rows, table.trainableCount(), flops, flops, plan(table, session.planner.plan()));
    }

    /** Of a training session. */
    public static Summary ofTraining(Layer layer, Shape input, Loss loss, Optimizer optimizer, SessionOptions options) {
        var table = new ParameterTable(layer, DType.F32);
        List<Row> rows = rows(layer, table, input, Graph.Mode.TRAINING);
        SessionOptions rest = options.withBudgetLessBy(table.plan().byteSize());
        var session = new TrainingPlan(layer, table, 0, input, loss, optimizer, rest);
        return new Summary(
                rows,
                table.trainableCount(),
                rows.stream().mapToLong(Row::flops).sum(),
                session.graph.nodes().stream().mapToLong(n -> n.op().flops(n)).sum(),
                plan(table, session.planner.plan()));
    }

    private static MemoryPlan plan(ParameterTable table, MemoryPlan session) {
        return MemoryPlan.together(List.of(table.plan(), session));
    }

    /** One row for all neighbouring nodes of one path, such as a convolution and its bias. */
    private static List<Row> rows(Layer layer, ParameterTable table, Shape input, Graph.Mode mode) {
        var graph = new Graph(mode, table.dtype(), 0, table::path);
        layer.forward(graph.input("images", table.dtype(), input));
        Map<String, Layer> layers = layer.layersByPath();
        List<Row> rows = new ArrayList<>();
        for (Node node : graph.nodes()) {
            Layer named = layers.get(node.path());
            Row row = new Row(
                    node.path(),
                    named == null ? node.op().name() : named.getClass().getSimpleName(),
                    node.output().shape(),
                    parameters(node),
                    node.op().flops(node));
            if (!rows.isEmpty() && rows.getLast().name.equals(row.name)) {
                Row before = rows.removeLast();
                row = new Row(
                        row.name, row.type, row.output, before.parameters + row.parameters, before.flops + row.flops);
            }
            rows.add(row);
        }
        return rows;
    }

    private static long parameters(Node node) {
        long count = 0;
        for (Value input : node.inputs()) {
            var parameter = input.parameter();
            if (parameter != null && parameter.role().isTrainable()) {
                count += parameter.shape().elementCount();
            }
        }
        return count;
    }
}
