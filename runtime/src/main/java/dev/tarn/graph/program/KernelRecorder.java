package dev.tarn.graph.program;

import dev.tarn.graph.Graph;
import dev.tarn.graph.Node;
import dev.tarn.graph.Value;
import dev.tarn.graph.op.TransferOp;
import java.util.List;

/** Writes a {@link KernelEvent} for each step. What a node computes and moves is told with the first of its steps. */
final class KernelRecorder implements StepObserver {
    private final List<PlannedStep> steps;
    private final int forwardSteps;
    private final long images;
    private KernelEvent event = new KernelEvent();

    /** @param images of the run's batch */
    KernelRecorder(List<PlannedStep> steps, int forwardSteps, long images) {
        this.steps = steps;
        this.forwardSteps = forwardSteps;
        this.images = images;
    }

    @Override
    public void before(int step) {
        event = new KernelEvent();
        event.begin();
    }

    @Override
    public void after(int step) {
        event.end();
        Node node = steps.get(step).node();
        boolean constant = node.outputs().stream().anyMatch(v -> v.kind() == Value.Kind.CONSTANT);
        if (constant || !event.shouldCommit()) {
            return;
        }
        event.layer = node.path();
        event.kernel = steps.get(step).name().substring(node.path().length() + 1);
        event.pass = pass(step);
        event.images = images;
        if (step == 0 || steps.get(step - 1).node() != node) {
            event.flops = node.op().flops(node) * images / planned(node);
            event.bytes = bytes(node);
        }
        event.commit();
    }

    private String pass(int step) {
        boolean inference = steps.get(step).node().graph().mode() == Graph.Mode.INFERENCE;
        return inference ? "inference" : step < forwardSteps ? "forward" : "backward";
    }

    /** None for a move to or from a file, which goes on beside other steps. */
    private long bytes(Node node) {
        if (node.op() instanceof TransferOp) {
            return 0;
        }
        long bytes = 0;
        for (Value input : node.inputs()) {
            bytes += input.kind() == Value.Kind.GRADIENT ? 2 * input.byteSize() : input.byteSizeFor(images);
        }
        for (Value output : node.outputs()) {
            bytes += output.byteSizeFor(images);
        }
        return bytes;
    }

    private static long planned(Node node) {
        return node.graph().inputs().get(0).shape().size(0);
    }
}
