package dev.tarn.graph.op;

import dev.tarn.graph.Node;
import dev.tarn.graph.Op;
import dev.tarn.graph.Spec;
import dev.tarn.graph.Value;
import dev.tarn.kernel.KernelCall;
import dev.tarn.memory.SpillFile;
import java.util.List;

/**
 * One half of moving a value between memory and a file: beginning, or waiting for the end. Input of all but the beginning of a
 * load: the value, whose memory is in use until then; that has it as its output.
 */
public record TransferOp(Phase phase, SpillFile.Slot slot) implements Op {
    /** The four halves, in the order in which a value goes through them. */
    public enum Phase {
        STORE,
        STORED,
        LOAD,
        LOADED
    }

    @Override
    public String name() {
        return "spill_" + phase.name().toLowerCase(java.util.Locale.ROOT);
    }

    @Override
    public List<Spec> infer(List<Value> inputs, String path) {
        return List.of();
    }

    @Override
    public List<KernelCall<Value>> calls(Node node) {
        return List.of();
    }
}
