package dev.tarn.memory;

import dev.tarn.memory.MemoryPlan.Buffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * Places buffers with known lives in one slab: largest first, each into the smallest gap that fits between the buffers placed
 * so far that are alive at the same time.
 */
public final class MemoryPlanner {
    private final List<Buffer> requests = new ArrayList<>();

    /** Asks for a buffer that is alive from one step to another, both included; returns its place in the plan's list. */
    public int add(String name, Family family, long byteSize, int firstStep, int lastStep) {
        if (byteSize < 0 || firstStep > lastStep) {
            throw new IllegalArgumentException(
                    "buffer %s: %d bytes from step %d to %d".formatted(name, byteSize, firstStep, lastStep));
        }
        requests.add(new Buffer(name, family, byteSize, firstStep, lastStep, 0));
        return requests.size() - 1;
    }

    /** Asks for a buffer that is never reused. */
    public int addPersistent(String name, Family family, long byteSize) {
        return add(name, family, byteSize, Integer.MIN_VALUE, MemoryPlan.FOREVER);
    }

    /** How many buffers were asked for. */
    public int size() {
        return requests.size();
    }

    /** Takes back what was asked for last, down to so many buffers. */
    public void shrink(int size) {
        requests.subList(size, requests.size()).clear();
    }

    /** Bytes of all buffers that are never reused. */
    public long persistentBytes() {
        return requests.stream()
                .filter(Buffer::isPersistent)
                .mapToLong(b -> align(b.byteSize()))
                .sum();
    }

    /** Places everything that was asked for. */
    public MemoryPlan plan() {
        Buffer[] placed = new Buffer[requests.size()];
        Integer[] order = new Integer[placed.length];
        Arrays.setAll(order, i -> i);
        Arrays.sort(
                order, Comparator.comparingLong((Integer i) -> -requests.get(i).byteSize()));
        List<Buffer> byOffset = new ArrayList<>();
        long top = 0;
        for (int i : order) {
            Buffer request = requests.get(i);
            Buffer buffer = at(request, bestGap(request, byOffset));
            placed[i] = buffer;
            byOffset.add(buffer);
            byOffset.sort(Comparator.comparingLong(Buffer::offset));
            top = Math.max(top, buffer.end());
        }
        return new MemoryPlan(Arrays.asList(placed), align(top));
    }

    private static long bestGap(Buffer request, List<Buffer> byOffset) {
        long best = -1;
        long bestSize = Long.MAX_VALUE;
        long free = 0;
        for (Buffer other : byOffset) {
            if (!request.aliveWith(other)) {
                continue;
            }
            long gap = other.offset() - free;
            if (gap >= request.byteSize() && gap < bestSize) {
                best = free;
                bestSize = gap;
            }
            free = Math.max(free, align(other.end()));
        }
        return best >= 0 ? best : free;
    }

    private static Buffer at(Buffer b, long offset) {
        return new Buffer(b.name(), b.family(), b.byteSize(), b.firstStep(), b.lastStep(), offset);
    }

    private static long align(long bytes) {
        return (bytes + OwnedMemory.ALIGNMENT - 1) & -OwnedMemory.ALIGNMENT;
    }
}
