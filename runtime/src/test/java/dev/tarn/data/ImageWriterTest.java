package dev.tarn.data;

import static dev.tarn.Messages.assertSays;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.data.Augmentation.Flip;
import dev.tarn.tensor.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ImageWriterTest {
    private static final int C = 3;
    private static final int H = 5;
    private static final int W = 7;
    private static final Normalization NORMALIZATION =
            new Normalization(List.of(0.4f, 0.5f, 0.6f), List.of(0.2f, 0.3f, 0.1f));

    private final MemorySegment raw = Arena.ofAuto().allocate(C * H * W);

    ImageWriterTest() {
        new PatternDataset(10, Shape.of(C, H, W)).read(3, raw);
    }

    private static ImageWriter writer(Augmentation augmentation) {
        return new ImageWriter(Shape.of(C, H, W), NORMALIZATION, augmentation, 42);
    }

    private static MemorySegment image() {
        return Arena.ofAuto().allocate(4L * C * H * W, 4);
    }

    private float[] augmented(Augmentation augmentation, long epoch, long index) {
        MemorySegment out = image();
        writer(augmentation).write(raw, epoch, index, out, 0);
        return out.toArray(ValueLayout.JAVA_FLOAT);
    }

    /** The definition: the window at (top, left) of the zero-padded image, mirrored after the crop, then normalized. */
    private float[] expected(int top, int left, Flip flip) {
        float[] out = new float[C * H * W];
        for (int c = 0; c < C; c++) {
            for (int y = 0; y < H; y++) {
                for (int x = 0; x < W; x++) {
                    int sy = y + top;
                    int sx = (flip == Flip.HORIZONTAL ? W - 1 - x : x) + left;
                    boolean inside = sy >= 0 && sy < H && sx >= 0 && sx < W;
                    int value = inside ? raw.get(ValueLayout.JAVA_BYTE, (c * H + sy) * W + sx) & 0xFF : 0;
                    out[(y * W + x) * C + c] =
                            (value / 255f - NORMALIZATION.mean().get(c))
                                    / NORMALIZATION.std().get(c);
                }
            }
        }
        return out;
    }

    @Test
    void all_windows_and_flips() {
        for (Flip flip : Flip.values()) {
            for (int top = -4; top <= 4; top++) {
                for (int left = -4; left <= 4; left++) {
                    MemorySegment out = image();
                    writer(Augmentation.NONE).write(raw, top, left, flip, out, 0);
                    assertArrayEquals(expected(top, left, flip), out.toArray(ValueLayout.JAVA_FLOAT));
                }
            }
        }
    }

    @Test
    void without_augmentation_only_normalized() {
        assertArrayEquals(expected(0, 0, Flip.NEVER), augmented(Augmentation.NONE, 3, 9));
    }

    @Test
    void flip_twice_is_the_identity() {
        Normalization unit = Normalization.unit(1);
        ImageWriter writer = new ImageWriter(Shape.of(1, H, W), unit, Augmentation.NONE, 0);
        MemorySegment out = image();
        writer.write(raw, 0, 0, Flip.HORIZONTAL, out, 0);
        MemorySegment flipped = Arena.ofAuto().allocate(H * W);
        for (int i = 0; i < H * W; i++) {
            flipped.set(ValueLayout.JAVA_BYTE, i, (byte) Math.round(out.getAtIndex(ValueLayout.JAVA_FLOAT, i) * 255));
        }
        assertFalse(flipped.mismatch(raw.asSlice(0, H * W)) < 0, "one flip changes the image");
        MemorySegment back = image();
        writer.write(flipped, 0, 0, Flip.HORIZONTAL, back, 0);
        writer.write(raw, 0, 0, Flip.NEVER, out, 0);
        assertEquals(-1, out.mismatch(back));
    }

    @Test
    void a_function_of_seed_epoch_and_index() {
        Augmentation all = Augmentation.parse("crop,flip");
        assertArrayEquals(augmented(all, 5, 7), augmented(all, 5, 7));
        Set<Integer> byEpoch = new HashSet<>();
        Set<Integer> byIndex = new HashSet<>();
        for (int i = 0; i < 20; i++) {
            byEpoch.add(Arrays.hashCode(augmented(all, i, 7)));
            byIndex.add(Arrays.hashCode(augmented(all, 5, i)));
        }
        assertTrue(byEpoch.size() > 10 && byIndex.size() > 10, byEpoch.size() + " " + byIndex.size());
    }

    @Test
    void crops_and_flips_occur_evenly() {
        Augmentation augmentation = new Augmentation(1, Flip.HORIZONTAL);
        int[] counts = new int[18];
        int draws = 18_000;
        for (int i = 0; i < draws; i++) {
            float[] image = augmented(augmentation, 0, i);
            for (int k = 0; k < 18; k++) {
                Flip flip = k % 2 == 0 ? Flip.NEVER : Flip.HORIZONTAL;
                if (Arrays.equals(image, expected(k / 6 - 1, k / 2 % 3 - 1, flip))) {
                    counts[k]++;
                }
            }
        }
        // Binomial with n = 18,000 and p = 1/18: mean 1,000, standard deviation 31; 6 of them never by chance.
        for (int k = 0; k < 18; k++) {
            assertEquals(1000, counts[k], 186, "case " + k);
        }
        assertEquals(draws, Arrays.stream(counts).sum());
    }

    @Test
    void names() {
        assertEquals(new Augmentation(4, Flip.HORIZONTAL), Augmentation.parse("crop,flip"));
        assertEquals(new Augmentation(0, Flip.HORIZONTAL), Augmentation.parse(" flip "));
        assertEquals(Augmentation.NONE, Augmentation.parse("none"));
        var e = assertThrows(IllegalArgumentException.class, () -> Augmentation.parse("crop,spin"));
        assertSays(Exception.class, e, "'spin' is unknown; use none, crop, flip");
        assertThrows(IllegalArgumentException.class, () -> new Augmentation(-1, Flip.NEVER));
    }
}
