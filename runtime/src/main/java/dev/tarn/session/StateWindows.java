package dev.tarn.session;

import static java.util.Objects.requireNonNull;

import dev.tarn.memory.SpillFile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Optimizer state that lies in a file passes through two windows of memory: while one is updated, what the update before has left in the
 * other is written and what comes next is read. The file moves pieces in the order in which they are asked for, so that nothing is
 * read into a window before it has been written from it. Without such state nothing happens here.
 */
final class StateWindows {
    private record Piece(SpillFile.Slot slot, MemorySegment window) {}

    private final UpdatePlan plan;
    private final SessionCore core;
    private final Piece[][] pieces;

    StateWindows(UpdatePlan plan, SessionCore core) {
        this.plan = plan;
        this.core = core;
        pieces = new Piece[plan.spilled.isEmpty() ? 0 : plan.updates.size()][];
        for (int i = 0; i < pieces.length; i++) {
            UpdatePlan.Call call = plan.updates.get(i);
            List<Piece> of = new ArrayList<>();
            int index = i;
            plan.spilled.forEach(
                    (name, slot) -> of.add(new Piece(slot.part(call.start(), call.byteSize()), window(name, index))));
            pieces[i] = of.toArray(Piece[]::new);
        }
        core.open(plan.file);
    }

    private MemorySegment window(String name, int update) {
        MemorySegment both = core.segment(requireNonNull(plan.state.get(name)));
        return both.asSlice(
                update % 2 * (both.byteSize() / 2), plan.updates.get(update).byteSize());
    }

    /** Whether an operand is state that lies in a file. */
    boolean has(String operand) {
        return plan.spilled.containsKey(operand);
    }

    /** The windows of an update's state, by name. */
    Map<String, MemorySegment> of(int update) {
        Map<String, MemorySegment> windows = new LinkedHashMap<>();
        plan.spilled.keySet().forEach(name -> windows.put(name, window(name, update)));
        return windows;
    }

    /** All state by name, as long as flat memory; what lies in a file until the arena is closed. */
    Map<String, MemorySegment> state(Arena arena) throws IOException {
        Map<String, MemorySegment> state = new LinkedHashMap<>();
        if (plan.spilled.isEmpty()) {
            plan.state.forEach((name, buffer) -> state.put(name, core.segment(buffer)));
        } else {
            MemorySegment file = plan.file.map(arena);
            plan.spilled.forEach((name, slot) -> state.put(name, slot.of(file)));
        }
        return state;
    }

    /** Waits for an update's state, and has that of the next one read meanwhile. */
    void enter(int update) {
        if (pieces.length == 0) {
            return;
        }
        if (update == 0) {
            load(0);
        }
        if (update + 1 < pieces.length) {
            load(update + 1);
        }
        for (Piece piece : pieces[update]) {
            piece.slot.await();
        }
    }

    private void load(int update) {
        for (Piece piece : pieces[update]) {
            piece.slot.load(piece.window);
        }
    }

    /** Has what an update has left written. */
    void leave(int update) {
        if (pieces.length == 0) {
            return;
        }
        for (Piece piece : pieces[update]) {
            piece.slot.store(piece.window);
        }
    }
}
