package dev.tarn.data;

import static dev.tarn.data.DataLoaderTest.indices;
import static dev.tarn.data.DataLoaderTest.loader;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which images an epoch has. */
class SamplingTest {
    @Test
    void t5_an_epoch_has_every_image_once_in_an_order_of_its_seed_and_number_alone() {
        List<Long> first = epoch(Sampling.SHUFFLED, 7, 0);
        assertEquals(Collections.nCopies(50, 1), histogram(first));
        assertEquals(Collections.nCopies(50, 1), histogram(epoch(Sampling.SHUFFLED, 7, 1)));
        assertEquals(first, epoch(Sampling.SHUFFLED, 7, 0));
        assertNotEquals(first, epoch(Sampling.SHUFFLED, 7, 1));
        assertNotEquals(first, epoch(Sampling.SHUFFLED, 8, 0));
        try (DataLoader loader = loader(50, 8).shuffled(7)) { // the same whatever came before
            loader.epoch(3).forEach(batch -> {});
            assertEquals(first, indices(loader.epoch(0)));
        }
    }

    @Test
    void t5_with_replacement_each_place_of_an_epoch_has_any_image() {
        List<Long> first = epoch(Sampling.WITH_REPLACEMENT, 7, 0);
        assertEquals(first, epoch(Sampling.WITH_REPLACEMENT, 7, 0));
        assertNotEquals(first, epoch(Sampling.WITH_REPLACEMENT, 7, 1));
        long epochs = 400;
        long[] counts = new long[50];
        try (DataLoader loader = loader(50, 8).sampled(Sampling.WITH_REPLACEMENT, 7)) {
            for (long epoch = 0; epoch < epochs; epoch++) {
                indices(loader.epoch(epoch)).forEach(i -> counts[Math.toIntExact(i)]++);
            }
        }
        assertNotEquals(Collections.nCopies(50, 1), histogram(first));
        // Each image is in one of 50 places with probability 1/50: within five standard deviations of a binomial.
        double band = 5 * Math.sqrt(epochs * (1 - 1 / 50.0));
        for (long count : counts) {
            assertEquals(epochs, count, band);
        }
    }

    private static List<Long> epoch(Sampling sampling, long seed, long epoch) {
        try (DataLoader loader = loader(50, 8).sampled(sampling, seed)) {
            return indices(loader.epoch(epoch));
        }
    }

    private static List<Integer> histogram(List<Long> indices) {
        List<Integer> counts = new ArrayList<>(Collections.nCopies(50, 0));
        indices.forEach(i -> counts.set(Math.toIntExact(i), counts.get(Math.toIntExact(i)) + 1));
        return counts;
    }

    @Test
    void t2_a_smaller_last_batch_is_left_out_on_demand() {
        try (DataLoader loader = loader(10, 4).dropLast()) {
            assertEquals(2, loader.batches());
            assertEquals(List.of(0L, 1L, 2L, 3L, 4L, 5L, 6L, 7L), indices(loader.epoch(0)));
            assertEquals(1.5, loader.passes(3));
        }
        try (DataLoader loader = loader(8, 4).dropLast()) { // no batch is smaller
            assertEquals(List.of(0L, 1L, 2L, 3L, 4L, 5L, 6L, 7L), indices(loader.epoch(0)));
        }
        try (DataLoader loader = loader(3, 4).dropLast()) { // the only batch is whole
            assertEquals(1, loader.batches());
        }
    }

    @Test
    void t6_passes_are_whole_after_whole_epochs() {
        try (DataLoader loader = loader(10, 4)) {
            assertEquals(0, loader.passes(0));
            assertEquals(0.4, loader.passes(1));
            assertEquals(0.8, loader.passes(2));
            assertEquals(1, loader.passes(3));
            assertEquals(7.4, loader.passes(22));
            assertEquals(1e9, loader.passes(3_000_000_000L));
        }
    }
}
