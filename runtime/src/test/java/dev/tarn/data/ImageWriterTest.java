package dev.tarn.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.tarn.tensor.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
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

    private static MemorySegment image() {
        return Arena.ofAuto().allocate(4L * C * H * W, 4);
    }

    private Picture picture() {
        Picture picture = new Picture(Shape.of(C, H, W));
        MemorySegment copy = Arena.ofAuto().allocate(C * H * W).copyFrom(raw);
        picture.load(copy, Arena.ofAuto().allocate(C * H * W));
        return picture;
    }

    private float[] augmented(Augmentation augmentation, long epoch, long index) {
        Dataset same = new PatternDataset(Integer.MAX_VALUE, Shape.of(C, H, W)) {
            @Override
            public void read(long unused, MemorySegment target) {
                super.read(3, target);
            }
        };
        MemorySegment out = image();
        Picture room = picture();
        new ImageWriter(same, NORMALIZATION, augmentation, 42).write(epoch, index, room.pixels(), room.spare(), out, 0);
        return out.toArray(ValueLayout.JAVA_FLOAT);
    }

    /** The definition: the window at (top, left) of the zero-padded image, mirrored after the crop, then normalized. */
    private float[] expected(int top, int left, boolean flip) {
        float[] out = new float[C * H * W];
        for (int c = 0; c < C; c++) {
            for (int y = 0; y < H; y++) {
                for (int x = 0; x < W; x++) {
                    int sy = y + top;
                    int sx = (flip ? W - 1 - x : x) + left;
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
        var preprocessor = Preprocessor.of(NORMALIZATION, Shape.of(C, H, W));
        for (boolean flip : new boolean[] {false, true}) {
            for (int top = -4; top <= 4; top++) {
                for (int left = -4; left <= 4; left++) {
                    Picture picture = picture();
                    RandomCrop.cut(picture, top, left);
                    if (flip) {
                        RandomFlip.mirror(picture);
                    }
                    MemorySegment out = image();
                    preprocessor.write(picture.pixels(), out, 0);
                    assertArrayEquals(expected(top, left, flip), out.toArray(ValueLayout.JAVA_FLOAT));
                }
            }
        }
    }

    @Test
    void without_augmentation_only_normalized() {
        assertArrayEquals(expected(0, 0, false), augmented(Augmentation.NONE, 3, 9));
    }

    @Test
    void crops_and_flips_occur_evenly() {
        Augmentation augmentation = Augmentation.NONE.crop(1).flip();
        int[] counts = new int[18];
        int draws = 18_000;
        for (int i = 0; i < draws; i++) {
            float[] image = augmented(augmentation, 0, i);
            for (int k = 0; k < 18; k++) {
                if (Arrays.equals(image, expected(k / 6 - 1, k / 2 % 3 - 1, k % 2 == 1))) {
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
}
