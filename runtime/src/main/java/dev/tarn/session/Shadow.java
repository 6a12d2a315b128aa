package dev.tarn.session;

import static java.util.Objects.requireNonNull;

import dev.tarn.data.Batch;
import dev.tarn.graph.Gradients;
import dev.tarn.graph.Graph;
import dev.tarn.graph.Node;
import dev.tarn.graph.Parameter;
import dev.tarn.graph.Value;
import dev.tarn.graph.op.ActivationOp;
import dev.tarn.graph.program.Executor;
import dev.tarn.graph.program.Program;
import dev.tarn.memory.Family;
import dev.tarn.memory.MemoryPlanner;
import dev.tarn.nn.loss.Loss;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;

/**
 * Losses and gradients of a model as it trains, on a copy of its parameters and statistics: measuring changes nothing. Activations
 * and what goes into them stay readable, so that it takes more memory than a training session. One caller at a time.
 */
final class Shadow implements AutoCloseable {
    private final ParameterTable table;
    private final MemoryPlanner planner = new MemoryPlanner();
    private final Value images;
    private final Value target;
    private final List<Node> activations;
    private final Program program;
    private final SessionCore core;
    private final Executor executor;
    private final MemorySegment parameters;
    private final MemorySegment gradients;
    private final MemorySegment step;
    private final MemorySegment loss;
    private final MemorySegment[] vectors;

    /** @param vectorCount arrays of doubles to plan with it, each with one for every learned number */
    Shadow(Model model, Shape input, Loss lossFunction, SessionOptions options, int vectorCount) {
        table = model.table();
        Graph graph = new Graph(Graph.Mode.TRAINING, model.dtype(), model.seed(), table::path);
        images = graph.input("images", model.dtype(), input);
        Value output = model.layer().forward(images);
        target = lossFunction.target(graph, output.shape());
        Value last = lossFunction.forward(output, target);
        graph.keep(last);
        activations = graph.nodes().stream()
                .filter(n -> n.op() instanceof ActivationOp)
                .toList();
        for (Node node : activations) {
            graph.keep(node.input(0));
            graph.keep(node.output());
        }
        Gradients.differentiate(graph, last);
        // As traced: a rewrite would fuse what is measured.
        program = Program.plan(graph, last, options.threads(), planner);
        int copy = planner.addPersistent("parameters", Family.PARAMETERS, table.byteSize());
        int sums = planner.addPersistent("gradients", Family.GRADIENTS, table.trainableByteSize());
        int setting = planner.addPersistent("step", Family.ARGUMENTS, Long.BYTES);
        int[] buffers = new int[vectorCount];
        for (int i = 0; i < vectorCount; i++) {
            buffers[i] = planner.addPersistent("sums", Family.WORKSPACE, Double.BYTES * table.trainableCount());
        }
        core = new SessionCore(model, "measuring", input, planner, options);
        boolean bound = false;
        try {
            parameters = core.segment(copy);
            gradients = core.segment(sums);
            step = core.segment(setting);
            vectors = Arrays.stream(buffers).mapToObj(core::segment).toArray(MemorySegment[]::new);
            executor = core.bind(program, this::external);
            loss = core.tensor(program, last).data();
            long stamp = model.lock().readLock();
            try {
                parameters.copyFrom(model.flat());
            } finally {
                model.lock().unlockRead(stamp);
            }
            bound = true;
        } finally {
            if (!bound) {
                core.close();
            }
        }
    }

    private MemorySegment external(Value value) {
        if (value.kind() == Value.Kind.SETTING) {
            return value == value.graph().step() ? step : MemorySegment.NULL;
        }
        Parameter parameter = requireNonNull(value.parameter(), value.name());
        return table.slice(value.kind() == Value.Kind.GRADIENT ? gradients : parameters, parameter);
    }

    /** Computes the loss of a batch and the gradients of its mean loss, with the masks of dropout of step 0. */
    double run(Batch batch) {
        core.requireInput(images, batch.images());
        core.requireInput(target, batch.labels());
        core.enter(batch.memory());
        try {
            core.beginRun();
            executor.bindInput(images, batch.images().data());
            executor.bindInput(target, batch.labels().data());
            executor.setBatch(batch.size());
            step.set(ValueLayout.JAVA_LONG, 0, 0);
            gradients.fill((byte) 0);
            executor.forward();
            executor.backward();
            return loss.get(ValueLayout.JAVA_DOUBLE, 0);
        } finally {
            core.exit(batch.memory());
        }
    }

    /** The nodes that apply an activation, in the order in which they run. */
    List<Node> activations() {
        return activations;
    }

    /** What a value that goes into or out of an activation was in the last run. */
    Tensor tensor(Value value, Batch last) {
        return value == images ? last.images() : core.tensor(program, value).prefix(last.size());
    }

    /** One of the arrays of doubles that were asked for, zero at first. */
    MemorySegment vector(int index) {
        return vectors[index];
    }

    /** A parameter of the copy. */
    Tensor parameter(Parameter parameter) {
        return table.tensor(parameters, parameter);
    }

    /** The gradient of a parameter in the last run. */
    Tensor gradient(Parameter parameter) {
        return table.tensor(gradients, parameter);
    }

    @Override
    public void close() {
        core.close();
    }
}
