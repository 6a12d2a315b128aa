package dev.tarn.data;

import static dev.tarn.Messages.assertSays;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.tensor.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Row E3. */
class HeldOutTest {
    private static final Dataset DIGITS = Digits.generate(2_000, 1, Split.TRAIN);

    /** Each image, by its pixels, with its side. */
    private static Map<Integer, String> sides(Dataset dataset, double share) {
        HeldOut parts = HeldOut.split(dataset, share);
        assertEquals(dataset.size(), parts.train().size() + parts.validation().size());
        Map<Integer, String> sides = new HashMap<>();
        collect(parts.train(), "train", sides);
        collect(parts.validation(), "validation", sides);
        return sides;
    }

    private static void collect(Dataset part, String side, Map<Integer, String> sides) {
        MemorySegment image = Arena.ofAuto().allocate(part.imageShape().elementCount());
        for (long i = 0; i < part.size(); i++) {
            part.read(i, image);
            sides.put(Arrays.hashCode(image.toArray(ValueLayout.JAVA_BYTE)), side);
        }
    }

    private static Dataset part(int from, int to) {
        return new Subset(DIGITS, IntStream.range(from, to).toArray());
    }

    @Test
    void e3_the_split_is_unchanged_when_examples_are_added() {
        Map<Integer, String> all = sides(DIGITS, 0.2);
        for (Dataset fewer : new Dataset[] {
            part(0, 700),
            part(600, 2_000),
            new Subset(DIGITS, new int[] {9, 5, 1_500, 7, 2, 3, 11, 77, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31})
        }) {
            sides(fewer, 0.2).forEach((image, side) -> assertEquals(all.get(image), side));
        }
    }

    @Test
    void e3_a_larger_share_holds_out_what_a_smaller_did() {
        Map<Integer, String> larger = sides(DIGITS, 0.5);
        sides(DIGITS, 0.2).forEach((image, side) -> assertTrue(side.equals("train") || side.equals(larger.get(image))));
    }

    @Test
    void e3_the_share_is_what_was_asked_for_within_chance() {
        // Binomial with n = 2,000 and p = 0.2: mean 400, standard deviation 17.9; 5 of them never by chance.
        assertEquals(400, HeldOut.split(DIGITS, 0.2).validation().size(), 90);
    }

    @Test
    void images_keep_their_labels() {
        HeldOut parts = HeldOut.split(new PatternDataset(200, Shape.of(1, 2, 3)), 0.3);
        MemorySegment image = Arena.ofAuto().allocate(6);
        for (Dataset part : new Dataset[] {parts.train(), parts.validation()}) {
            for (long i = 0; i < part.size(); i++) {
                part.read(i, image);
                int index = (image.get(ValueLayout.JAVA_BYTE, 0) & 0xFF) * 223 & 0xFF; // 31 * 223 = 1 modulo 256
                assertEquals(index % 10, part.label(i));
            }
        }
    }

    @Test
    void shares_that_leave_nothing() {
        for (double share : new double[] {0, 1, -0.1, Double.NaN}) {
            assertThrows(IllegalArgumentException.class, () -> HeldOut.split(DIGITS, share));
        }
        Dataset one = part(0, 1);
        assertSays(DataException.class, assertThrows(DataException.class, () -> HeldOut.split(one, 0.5)), "1 images");
    }
}
