package dev.tarn.session;

import dev.tarn.data.Batch;
import dev.tarn.graph.Graph;
import dev.tarn.graph.Parameter;
import dev.tarn.graph.Value;
import dev.tarn.graph.program.Executor;
import dev.tarn.graph.program.Program;
import dev.tarn.memory.Family;
import dev.tarn.memory.MemoryPlanner;
import dev.tarn.nn.loss.Loss;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * The loss of one batch as a training session computes it (statistics of the batch, dropout with the masks of step 0) and as an
 * inference session does (running statistics, no dropout). A large gap says that running statistics have not settled or belong to
 * other data; without batch normalisation and dropout there is none.
 */
public record ModeGap(double training, double inference) {
    /** How much larger the loss is in inference. */
    public double gap() {
        return inference - training;
    }

    /**
     * Measures the gap, which needs memory for two forward passes, one after the other. The model stays as it was to the bit: running
     * statistics that the first one moves are put back, while no session runs.
     *
     * @throws dev.tarn.tensor.ShapeException if the network or the loss does not take the batch
     */
    public static ModeGap of(Model model, Loss loss, Batch batch) {
        double[] losses = new double[2];
        model.exclusively(() -> {
            Map<Tensor, double[]> statistics = statistics(model);
            losses[0] = loss(model, loss, batch, Graph.Mode.TRAINING);
            statistics.forEach(Tensor::copyFrom);
            losses[1] = loss(model, loss, batch, Graph.Mode.INFERENCE);
        });
        return new ModeGap(losses[0], losses[1]);
    }

    private static Map<Tensor, double[]> statistics(Model model) {
        Map<Tensor, double[]> statistics = new LinkedHashMap<>();
        model.tensors().forEach((path, tensor) -> {
            Parameter parameter = Objects.requireNonNull(model.table().parameter(path));
            if (!parameter.role().isTrainable()) {
                statistics.put(tensor, tensor.toDoubleArray());
            }
        });
        return statistics;
    }

    private static double loss(Model model, Loss lossFunction, Batch batch, Graph.Mode mode) {
        Graph graph = new Graph(mode, model.dtype(), model.seed(), model.table()::path);
        Shape shape = batch.images().shape();
        Value images = graph.input("images", model.dtype(), shape);
        Value output = model.layer().forward(images);
        Value target = lossFunction.target(graph, output.shape());
        Value loss = lossFunction.forward(output, target);
        graph.keep(loss);
        MemoryPlanner planner = new MemoryPlanner();
        Program program = SessionCore.program(graph, loss, SessionOptions.DEFAULT, planner);
        int step = planner.addPersistent("step", Family.ARGUMENTS, DType.I64.byteSize());
        SessionCore core = new SessionCore(model, "mode gap", shape, planner, SessionOptions.DEFAULT);
        try {
            MemorySegment stepSetting = core.segment(step);
            Executor executor = core.bind(
                    program,
                    value -> value == graph.step()
                            ? stepSetting
                            : value == graph.lossDivisor()
                                    ? MemorySegment.NULL
                                    : model.table().slice(model.flat(), Objects.requireNonNull(value.parameter())));
            core.requireInput(images, batch.images());
            core.requireInput(target, batch.labels());
            core.enter(batch.memory());
            try {
                core.beginRun();
                executor.bindInput(images, batch.images().data());
                executor.bindInput(target, batch.labels().data());
                executor.setBatch(batch.size());
                executor.prepare();
                executor.forward();
                return core.tensor(program, loss).data().get(ValueLayout.JAVA_DOUBLE, 0);
            } finally {
                core.exit(batch.memory());
            }
        } finally {
            core.close();
        }
    }
}
