package dev.tarn.optim;

import dev.tarn.kernel.BoundKernel;
import dev.tarn.kernel.KernelCall;
import dev.tarn.kernel.Kernels;
import dev.tarn.kernel.Team;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.tensor.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;
import java.util.function.DoubleUnaryOperator;

/** An optimizer at work on a few parameters, outside of any session: gradients are what the test says. */
final class Steps implements AutoCloseable {
    private final OwnedMemory memory = OwnedMemory.open("steps");
    private final Team team = new Team(1);
    private final Map<String, MemorySegment> operands = new HashMap<>();
    private final DType dtype;
    private final int count;
    private final BoundKernel kernel;
    private long steps;

    Steps(Optimizer optimizer, DType dtype, double... start) {
        this(
                optimizer.update(
                        dtype,
                        optimizer.groups().isEmpty()
                                ? Group.all()
                                : optimizer.groups().getFirst(),
                        start.length),
                dtype,
                start);
    }

    Steps(KernelCall<String> call, DType dtype, double... start) {
        this.dtype = dtype;
        this.count = start.length;
        var planned = Kernels.plan(call, 1);
        kernel = planned.bind(
                memory.allocate(planned.argumentBytes(1)),
                1,
                name -> operands.computeIfAbsent(name, n -> memory.allocate(8L * count)),
                MemorySegment.NULL,
                new MemorySegment[0]);
        for (int i = 0; i < count; i++) {
            dtype.set(operand(Optimizer.PARAMETERS), i, start[i]);
        }
    }

    private MemorySegment operand(String name) {
        MemorySegment segment = operands.get(name);
        if (segment == null) {
            throw new IllegalArgumentException("no operand " + name);
        }
        return segment;
    }

    /** One step with these gradients. */
    void step(double rate, double... gradients) {
        operand(Optimizer.RATE).set(ValueLayout.JAVA_DOUBLE, 0, rate);
        if (operands.containsKey(Optimizer.STEP)) {
            operand(Optimizer.STEP).set(ValueLayout.JAVA_LONG, 0, steps);
        }
        for (int i = 0; i < count; i++) {
            dtype.set(operand(Optimizer.GRADIENTS), i, gradients[i]);
        }
        team.run(kernel);
        steps++;
    }

    /** Steps down a function of one variable whose derivative is given. */
    void descend(double rate, DoubleUnaryOperator derivative) {
        step(rate, derivative.applyAsDouble(x()));
    }

    double x() {
        return x(0);
    }

    double x(int i) {
        return dtype.get(operand(Optimizer.PARAMETERS), i);
    }

    /** An element of the state, such as {@code velocity}. */
    double state(String name, int i) {
        return dtype.get(operand(name), i);
    }

    double gradient(int i) {
        return dtype.get(operand(Optimizer.GRADIENTS), i);
    }

    @Override
    public void close() {
        team.close();
        memory.close();
    }
}
