package dev.tarn.session;

import dev.tarn.memory.MemoryPlan;
import dev.tarn.nn.Layer;
import dev.tarn.nn.loss.Loss;
import dev.tarn.optim.Optimizer;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;
import java.util.List;

/**
 * What a training step takes in memory, arithmetic and transfers, found by planning alone: nothing is allocated or run.
 *
 * @param plan memory of the model and the session together
 * @param peakKernel what runs when most bytes are in use: the layer and its kernel
 * @param peakStep its place among the kernels of a step
 * @param kernels how many there are
 * @param flops multiplications and additions of a forward and backward pass, by the direct definition
 * @param repeatedFlops how many of them compute again what was not kept
 * @param spilledBytes what goes to a file in each step and comes back from it
 */
public record StepCost(
        MemoryPlan plan,
        String peakKernel,
        int peakStep,
        int kernels,
        long flops,
        long repeatedFlops,
        long spilledBytes) {
    /**
     * Of a training session.
     *
     * @param input (N, C, H, W), N the largest batch
     * @param options the budget is that of the model and the session together; if it is too small for any plan, this is the smallest
     */
    public static StepCost of(Layer layer, Shape input, Loss loss, Optimizer optimizer, SessionOptions options) {
        var table = new ParameterTable(layer, DType.F32);
        MemoryPlan model = table.plan();
        SessionOptions rest = options.withBudgetLessBy(model.byteSize());
        var session = new TrainingPlan(layer, table, 0, input, loss, optimizer, rest);
        MemoryPlan plan = session.planner.plan();
        List<String> kernels = session.program.kernelNames();
        int peak = plan.peakStep();
        return new StepCost(
                MemoryPlan.together(List.of(model, plan)),
                kernels.get(Math.clamp(peak, 0, kernels.size() - 1)),
                peak,
                kernels.size(),
                session.program.flops(),
                session.program.repeatedFlops(),
                session.spilledBytes());
    }

    /** Arithmetic that the budget costs, as a share of what a step needs without one. */
    public double repeatedShare() {
        return repeatedFlops / (double) (flops - repeatedFlops);
    }
}
