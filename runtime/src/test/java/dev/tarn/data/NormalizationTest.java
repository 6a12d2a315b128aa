package dev.tarn.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.tarn.tensor.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class NormalizationTest {
    @Test
    void equals_the_definition_channel_by_channel() {
        Dataset dataset = new PatternDataset(50, Shape.of(3, 5, 7));
        Normalization measured = Normalization.measure(dataset);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment image = arena.allocate(105);
            for (int c = 0; c < 3; c++) {
                List<Double> values = new ArrayList<>();
                for (long i = 0; i < 50; i++) {
                    dataset.read(i, image);
                    for (long p = c * 35; p < (c + 1) * 35; p++) {
                        values.add((image.get(ValueLayout.JAVA_BYTE, p) & 0xFF) / 255.0);
                    }
                }
                double mean = values.stream().mapToDouble(v -> v).average().orElseThrow();
                double variance = values.stream()
                        .mapToDouble(v -> (v - mean) * (v - mean))
                        .average()
                        .orElseThrow();
                assertEquals((float) mean, measured.mean().get(c), Math.ulp((float) mean));
                assertEquals((float) Math.sqrt(variance), measured.std().get(c), Math.ulp((float) Math.sqrt(variance)));
            }
        }
    }

    @Test
    void normalized_training_split_has_mean_zero_and_std_one() {
        Dataset dataset = Digits.generate(500, 3, Split.TRAIN);
        double sum = 0;
        double squares = 0;
        long count = 0;
        try (DataLoader loader = DataLoader.of(dataset, 64).preprocessed(Normalization.measure(dataset))) {
            for (Batch batch : loader.epoch(0)) {
                for (float x : batch.images().toArray()) {
                    sum += x;
                    squares += (double) x * x;
                    count++;
                }
            }
        }
        double mean = sum / count;
        assertEquals(0, mean, 1e-6);
        assertEquals(1, Math.sqrt(squares / count - mean * mean), 1e-6);
    }

    @Test
    void constant_channel_keeps_its_scale() {
        Normalization measured = Normalization.measure(new PatternDataset(3, Shape.of(1, 2, 2)) {
            @Override
            public void read(long index, MemorySegment target) {
                target.asSlice(0, 4).fill((byte) 51);
            }
        });
        assertEquals(new Normalization(List.of(0.2f), List.of(1f)), measured);
    }

    @Test
    void immutable_and_compared_by_content() {
        List<Float> mean = new ArrayList<>(List.of(0.5f));
        Normalization normalization = new Normalization(mean, List.of(0.25f));
        mean.set(0, 9f);
        assertEquals(new Normalization(List.of(0.5f), List.of(0.25f)), normalization);
        assertNotEquals(new Normalization(List.of(0.5f), List.of(0.5f)), normalization);
        assertThrows(
                UnsupportedOperationException.class, () -> normalization.mean().set(0, 1f));
    }

    @Test
    void numbers_that_cannot_be() {
        assertThrows(IllegalArgumentException.class, () -> new Normalization(List.of(0f), List.of(0f)));
        assertThrows(IllegalArgumentException.class, () -> new Normalization(List.of(Float.NaN), List.of(1f)));
        assertThrows(IllegalArgumentException.class, () -> new Normalization(List.of(0f, 0f), List.of(1f)));
        assertThrows(IllegalArgumentException.class, () -> new Normalization(List.of(), List.of()));
    }
}
