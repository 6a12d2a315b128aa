package dev.tarn.memory;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Where each buffer of a session lies in its one slab, and from which step to which it is alive. The plan is made before
 * anything is allocated, and the slab has exactly {@link #byteSize()} bytes.
 *
 * @param buffers all buffers, in the order in which they were asked for
 * @param byteSize the size of the slab
 */
public record MemoryPlan(List<Buffer> buffers, long byteSize) {
    /**
     * One buffer of the slab.
     *
     * @param name the value or step it belongs to
     * @param family what it is for
     * @param byteSize its size, not rounded
     * @param firstStep the first step that touches it
     * @param lastStep the last step that touches it; {@link #FOREVER} if it outlives the step
     * @param offset where it starts, in bytes from the start of the slab
     */
    public record Buffer(String name, Family family, long byteSize, int firstStep, int lastStep, long offset) {
        boolean aliveWith(Buffer other) {
            return firstStep <= other.lastStep && other.firstStep <= lastStep;
        }

        long end() {
            return offset + byteSize;
        }

        /** Whether the buffer keeps its content between steps of training or runs of inference. */
        public boolean isPersistent() {
            return lastStep == FOREVER;
        }
    }

    /** Last step of a buffer that is never reused. */
    public static final int FOREVER = Integer.MAX_VALUE;

    public MemoryPlan {
        buffers = List.copyOf(buffers);
    }

    /** Several plans one after the other in one: what all their owners need together. */
    public static MemoryPlan together(List<MemoryPlan> plans) {
        List<Buffer> all = new ArrayList<>();
        long start = 0;
        for (MemoryPlan plan : plans) {
            for (Buffer b : plan.buffers) {
                all.add(new Buffer(b.name, b.family, b.byteSize, b.firstStep, b.lastStep, start + b.offset));
            }
            start += plan.byteSize;
        }
        return new MemoryPlan(all, start);
    }

    /** Bytes of all buffers of each family; reuse makes their sum larger than {@link #byteSize()}. */
    public Map<Family, Long> bytesByFamily() {
        Map<Family, Long> sums = new EnumMap<>(Family.class);
        buffers.forEach(b -> sums.merge(b.family(), b.byteSize(), Long::sum));
        return sums;
    }

    /** The step at which most bytes are alive, which is what the slab's size comes from. */
    public int peakStep() {
        int peak = 0;
        long most = -1;
        for (Buffer candidate : buffers) {
            long alive = aliveAt(candidate.firstStep()).stream()
                    .mapToLong(Buffer::byteSize)
                    .sum();
            if (alive > most) {
                most = alive;
                peak = candidate.firstStep();
            }
        }
        return peak;
    }

    /** The most bytes of a family's buffers that are alive at once. */
    public long peakBytes(Family family) {
        return buffers.stream()
                .mapToLong(b -> aliveAt(b.firstStep()).stream()
                        .filter(other -> other.family() == family)
                        .mapToLong(Buffer::byteSize)
                        .sum())
                .max()
                .orElse(0);
    }

    /** The buffers alive at a step, largest first. */
    public List<Buffer> aliveAt(int step) {
        return buffers.stream()
                .filter(b -> b.firstStep() <= step && step <= b.lastStep())
                .sorted(Comparator.comparingLong(Buffer::byteSize).reversed())
                .toList();
    }

    /**
     * Refuses a plan that is over budget, before anything is allocated.
     *
     * @throws MemoryBudgetException if it is; the message names the largest consumers
     */
    public MemoryPlan requireWithin(long budget) {
        if (byteSize > budget) {
            List<String> largest = aliveAt(peakStep()).stream()
                    .limit(3)
                    .map(b -> "%s %s %,d".formatted(b.family().label(), b.name(), b.byteSize()))
                    .toList();
            throw new MemoryBudgetException(byteSize, budget, largest);
        }
        return this;
    }

    /** The table that {@code session.memory()} prints: every buffer, then bytes by family, then the total. */
    @Override
    public String toString() {
        List<String> lines = new ArrayList<>();
        lines.add("%-12s %15s %15s %6s %6s  %s".formatted("family", "bytes", "offset", "from", "to", "buffer"));
        for (Buffer b : buffers) {
            lines.add("%-12s %,15d %,15d %6d %6s  %s"
                    .formatted(
                            b.family().label(),
                            b.byteSize(),
                            b.offset(),
                            b.firstStep(),
                            b.isPersistent() ? "-" : b.lastStep(),
                            b.name()));
        }
        bytesByFamily().forEach((family, bytes) -> lines.add("%-12s %,15d".formatted(family.label(), bytes)));
        lines.add("%-12s %,15d  (peak at step %d)".formatted("planned", byteSize, peakStep()));
        return String.join("\n", lines);
    }
}
