package dev.tarn.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class PhiloxTest {
    @Test
    void words_equal_the_published_vectors() {
        int[] words = new int[4];
        Philox.words(0, 0, 0, 0, words);
        assertArrayEquals(new int[] {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}, words);
        Philox.words(-1, -1, -1, -1, words);
        assertArrayEquals(new int[] {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}, words);
        Philox.words(0x299f31d0_a4093822L, 0x03707344, 0x13198a2e, 0x85a308d3_243f6a88L, words);
        assertArrayEquals(new int[] {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}, words);
    }

    @Test
    void i2_sample_variance_of_a_million_gaussians_is_within_five_sigma() {
        Rng rng = new Rng(7, Rng.Stream.INIT, 3);
        double sum = 0;
        double squares = 0;
        int n = 1_000_000;
        for (int i = 0; i < n; i++) {
            double x = rng.nextGaussian();
            sum += x;
            squares += x * x;
        }
        assertEquals(0, sum / n, 5 / Math.sqrt(n));
        assertEquals(1, squares / n, 5 * Math.sqrt(2.0 / n));
    }

    @Test
    void streams_and_steps_differ_and_repeat() {
        long a = new Rng(1, Rng.Stream.INIT, 0).nextLong(Long.MAX_VALUE);
        assertEquals(a, new Rng(1, Rng.Stream.INIT, 0).nextLong(Long.MAX_VALUE));
        assertTrue(a != new Rng(1, Rng.Stream.SHUFFLE, 0).nextLong(Long.MAX_VALUE));
        assertTrue(a != new Rng(1, Rng.Stream.INIT, 1).nextLong(Long.MAX_VALUE));
        assertTrue(a != new Rng(2, Rng.Stream.INIT, 0).nextLong(Long.MAX_VALUE));
    }

    @Test
    void t5_a_permutation_holds_every_index_once() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment order = arena.allocate(ValueLayout.JAVA_INT, 1009);
            new Rng(5, Rng.Stream.SHUFFLE, 2).permutation(order, 1009);
            boolean[] seen = new boolean[1009];
            for (int i = 0; i < seen.length; i++) {
                seen[order.getAtIndex(ValueLayout.JAVA_INT, i)] = true;
            }
            for (boolean s : seen) {
                assertTrue(s);
            }
        }
    }
}
