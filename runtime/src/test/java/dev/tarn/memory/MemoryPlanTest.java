package dev.tarn.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.memory.MemoryPlan.Buffer;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MemoryPlanTest {
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
    void random_lives_never_share_bytes_and_never_exceed_the_plain_sum(long seed) {
        Random random = new Random(seed);
        var planner = new MemoryPlanner();
        long plainSum = 0;
        for (int i = 0; i < 200; i++) {
            int first = random.nextInt(50);
            long bytes = random.nextInt(1, 100_000);
            planner.add("b" + i, Family.ACTIVATIONS, bytes, first, first + random.nextInt(20));
            plainSum += (bytes + 63) / 64 * 64;
        }
        MemoryPlan plan = planner.plan();
        List<Buffer> buffers = plan.buffers();
        for (int i = 0; i < buffers.size(); i++) {
            Buffer a = buffers.get(i);
            assertEquals(0, a.offset() % OwnedMemory.ALIGNMENT);
            assertTrue(a.end() <= plan.byteSize());
            for (Buffer b : buffers.subList(0, i)) {
                boolean apart = a.end() <= b.offset() || b.end() <= a.offset();
                assertTrue(apart || !a.aliveWith(b), a + " and " + b);
            }
        }
        assertTrue(plan.byteSize() <= plainSum);
        long peak = plan.aliveAt(plan.peakStep()).stream()
                .mapToLong(Buffer::byteSize)
                .sum();
        assertTrue(peak <= plan.byteSize());
    }

    @Test
    void buffers_that_follow_each_other_share_memory() {
        var planner = new MemoryPlanner();
        planner.add("a", Family.ACTIVATIONS, 1000, 0, 1);
        planner.add("b", Family.ACTIVATIONS, 1000, 2, 3);
        assertEquals(1024, planner.plan().byteSize());
    }

    @Test
    void persistent_buffers_are_never_reused() {
        var planner = new MemoryPlanner();
        planner.addPersistent("weights", Family.PARAMETERS, 64);
        planner.add("a", Family.ACTIVATIONS, 64, 0, 0);
        assertEquals(128, planner.plan().byteSize());
    }

    @Test
    void one_byte_over_budget_names_the_largest_consumers() {
        var planner = new MemoryPlanner();
        planner.add("conv1", Family.ACTIVATIONS, 6400, 0, 1);
        planner.add("conv2", Family.WORKSPACE, 64, 1, 1);
        MemoryPlan plan = planner.plan();
        assertEquals(plan, plan.requireWithin(plan.byteSize()));
        var e = assertThrows(MemoryBudgetException.class, () -> plan.requireWithin(plan.byteSize() - 1));
        assertEquals(plan.byteSize(), e.needed());
        assertTrue(e.getMessage().contains("activations conv1 6,400"), e.getMessage());
    }

    @Test
    void the_table_prints_every_buffer_and_the_exact_total() {
        var planner = new MemoryPlanner();
        planner.add("conv1", Family.ACTIVATIONS, 6400, 0, 1);
        String table = planner.plan().toString();
        assertTrue(table.contains("conv1") && table.contains("6,400"), table);
    }
}
