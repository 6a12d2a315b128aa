package dev.tarn.session;

import static java.util.Objects.requireNonNull;

import dev.tarn.kernel.BoundKernel;
import dev.tarn.kernel.Team;
import dev.tarn.optim.Clipping;
import dev.tarn.optim.Group;
import dev.tarn.optim.Optimizer;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * An {@link UpdatePlan} with memory. Running it allocates nothing, and gives the same bits at any number of threads.
 */
final class ParameterUpdate {
    private record Penalty(Group group, BoundKernel sums) {}

    private record Clip(String name, BoundKernel[] sums, BoundKernel[] scales) {}

    private final SessionCore core;
    private final Map<String, MemorySegment> scalars = new HashMap<>();
    private final Map<String, MemorySegment> flat = new LinkedHashMap<>();
    private final MemorySegment shared;
    private final MemorySegment rate;
    private final MemorySegment sums;
    private final MemorySegment factor;
    private final Clipping clipping;
    private final Clip[] normClips;
    private final BoundKernel[] valueClips;
    private final BoundKernel[] updates;
    private final StateWindows windows;
    private final BoundKernel[] projections;
    private final Penalty[] penalties;
    private double gradientNorm = Double.NaN;

    /** @param step how many updates came before */
    ParameterUpdate(UpdatePlan plan, SessionCore core, MemorySegment parameters, MemorySegment step) {
        this.core = core;
        clipping = plan.clipping;
        shared = plan.shared < 0 ? MemorySegment.NULL : core.segment(plan.shared);
        MemorySegment numbers = core.segment(plan.numbers);
        rate = numbers.asSlice(0, Double.BYTES);
        factor = numbers.asSlice(Double.BYTES, Double.BYTES);
        sums = numbers.asSlice(2 * Double.BYTES, 2 * Double.BYTES);
        scalars.put(Optimizer.RATE, rate);
        scalars.put(Optimizer.STEP, step);
        scalars.put(UpdatePlan.SUMS, sums);
        scalars.put(UpdatePlan.FACTOR, factor);
        flat.put(Optimizer.PARAMETERS, parameters);
        flat.put(Optimizer.GRADIENTS, core.segment(plan.gradients));
        windows = new StateWindows(plan, core);
        if (plan.spilled.isEmpty()) {
            plan.state.forEach((name, buffer) -> flat.put(name, core.segment(buffer)));
        }
        normClips = plan.normClips.stream()
                .map(c -> new Clip(c.name(), bind(c.sums()), bind(c.scales())))
                .toArray(Clip[]::new);
        valueClips = bind(plan.valueClips);
        updates = new BoundKernel[plan.updates.size()];
        for (int i = 0; i < updates.length; i++) {
            windows.of(i).forEach(flat::put);
            updates[i] = bind(plan.updates.get(i));
        }
        projections = bind(plan.projections);
        penalties = plan.penalties.stream()
                .map(p -> new Penalty(p.group(), bind(p.sums())))
                .toArray(Penalty[]::new);
    }

    private BoundKernel[] bind(List<UpdatePlan.Call> calls) {
        return calls.stream().map(this::bind).toArray(BoundKernel[]::new);
    }

    private BoundKernel bind(UpdatePlan.Call call) {
        return call.kernel()
                .bind(
                        core.segment(call.arguments()),
                        1,
                        operand -> operand(operand, call),
                        shared,
                        new MemorySegment[0]);
    }

    private MemorySegment operand(String name, UpdatePlan.Call call) {
        MemorySegment scalar = scalars.get(name);
        if (scalar != null) {
            return scalar;
        }
        MemorySegment all = requireNonNull(flat.get(name), name);
        return windows.has(name) ? all : all.asSlice(call.start(), call.byteSize());
    }

    /**
     * Clips gradients, updates parameters and sets gradients to zero.
     *
     * @throws DivergenceException if a norm that is to be limited is not finite; no parameter has changed then
     */
    void run(double learningRate) {
        Team team = core.team();
        rate.set(ValueLayout.JAVA_DOUBLE, 0, learningRate);
        clipNorms(team);
        run(team, valueClips);
        for (int i = 0; i < updates.length; i++) {
            windows.enter(i);
            team.run(updates[i]);
            windows.leave(i);
        }
        run(team, projections);
    }

    private static void run(Team team, BoundKernel[] kernels) {
        for (BoundKernel kernel : kernels) {
            team.run(kernel);
        }
    }

    private void clipNorms(Team team) {
        double total = 0;
        for (Clip clip : normClips) {
            double squares = 0;
            for (BoundKernel kernel : clip.sums) {
                team.run(kernel);
                squares += sums.get(ValueLayout.JAVA_DOUBLE, 0);
            }
            double norm = Math.sqrt(squares);
            if (!Double.isFinite(norm)) {
                throw DivergenceException.ofGradients(norm, clip.name);
            }
            if (norm > clipping.limit()) {
                factor.set(ValueLayout.JAVA_DOUBLE, 0, clipping.limit() / norm);
                run(team, clip.scales);
            }
            total += squares;
        }
        gradientNorm = normClips.length == 0 ? Double.NaN : Math.sqrt(total);
    }

    /** The optimizer's state as flat memory; what lies in a file until the arena is closed. */
    Map<String, MemorySegment> state(Arena arena) throws IOException {
        return windows.state(arena);
    }

    /** The norm of all gradients in the last update, before they were clipped; NaN if norms are not limited. */
    double gradientNorm() {
        return gradientNorm;
    }

    /** The rate of the last update. */
    double learningRate() {
        return rate.get(ValueLayout.JAVA_DOUBLE, 0);
    }

    /** What L2 and L1 add to the loss at the present weights. */
    double penalty() {
        double penalty = 0;
        for (Penalty p : penalties) {
            core.team().run(p.sums);
            penalty += p.group.l2() / 2 * sums.get(ValueLayout.JAVA_DOUBLE, 0)
                    + p.group.l1() * sums.get(ValueLayout.JAVA_DOUBLE, Double.BYTES);
        }
        return penalty;
    }
}
