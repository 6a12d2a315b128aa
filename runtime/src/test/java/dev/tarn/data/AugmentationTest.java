package dev.tarn.data;

import static dev.tarn.Messages.assertSays;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.tensor.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Row G15. */
class AugmentationTest {
    private static final Shape IMAGE = Shape.of(3, 16, 12);
    private static final int BYTES = 3 * 16 * 12;
    private static final String ALL = "crop=2,flip,resized-crop=0.3,jitter=0.4,erase=0.5";

    private static Picture picture(long index) {
        MemorySegment raw = Arena.ofAuto().allocate(BYTES);
        new PatternDataset(1000, IMAGE).read(index, raw);
        Picture picture = new Picture(IMAGE);
        picture.load(raw, Arena.ofAuto().allocate(BYTES));
        return picture;
    }

    private static byte[] bytes(Picture picture) {
        return picture.pixels().toArray(ValueLayout.JAVA_BYTE);
    }

    private static byte[] augmented(String names, long seed, long epoch, long index) {
        Picture picture = picture(index);
        Draws draws = new Draws(seed);
        draws.image(epoch, index);
        Augmentation.parse(names).apply(picture, draws);
        return bytes(picture);
    }

    private static int value(byte[] image, int place) {
        return image[place] & 0xFF;
    }

    @ParameterizedTest
    @ValueSource(strings = {"crop", "flip", "resized-crop", "jitter", "erase", ALL})
    void g15_a_function_of_seed_epoch_and_index(String names) {
        Set<Integer> bySeed = new HashSet<>();
        Set<Integer> byEpoch = new HashSet<>();
        for (int i = 0; i < 200; i++) {
            assertArrayEquals(augmented(names, 1, 5, i), augmented(names, 1, 5, i));
            bySeed.add(Arrays.hashCode(augmented(names, i, 5, 7)));
            byEpoch.add(Arrays.hashCode(augmented(names, 1, (1L << 32) * i, 7)));
        }
        int least = names.equals("flip") ? 2 : 20;
        assertTrue(bySeed.size() >= least && byEpoch.size() >= least, bySeed.size() + " " + byEpoch.size());
    }

    @Test
    void g15_the_same_pixels_at_any_number_of_threads_and_in_any_batch() throws InterruptedException {
        Dataset data = new PatternDataset(60, IMAGE);
        float[][] alone = new float[60][];
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < 4; t++) {
            int first = t;
            threads.add(Thread.ofPlatform().start(() -> {
                var writer = new ImageWriter(data, Normalization.unit(3), Augmentation.parse(ALL), 9);
                for (int i = first; i < 60; i += 4) {
                    Picture picture = picture(i);
                    MemorySegment out = Arena.ofAuto().allocate(4 * BYTES, 4);
                    writer.write(3, i, picture.pixels(), picture.spare(), out, 0);
                    alone[i] = out.toArray(ValueLayout.JAVA_FLOAT);
                }
            }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        for (int batchSize : new int[] {1, 7, 60}) {
            try (DataLoader loader = DataLoader.of(data, batchSize)
                    .augmented(Augmentation.parse(ALL))
                    .shuffled(9)) {
                var order = MemorySegment.ofArray(new int[60]);
                new dev.tarn.tensor.Rng(9, dev.tarn.tensor.Rng.Stream.SHUFFLE, 3).permutation(order, 60);
                int i = 0;
                for (Batch batch : loader.epoch(3)) {
                    float[] all = batch.images().data().toArray(ValueLayout.JAVA_FLOAT);
                    for (int k = 0; k < batch.size(); k++) {
                        float[] one = Arrays.copyOfRange(all, k * BYTES, (k + 1) * BYTES);
                        assertArrayEquals(alone[order.getAtIndex(ValueLayout.JAVA_INT, i++)], one);
                    }
                }
            }
        }
    }

    @Test
    void g15_flip_twice_is_the_identity() {
        Picture picture = picture(3);
        byte[] before = bytes(picture);
        RandomFlip.mirror(picture);
        byte[] once = bytes(picture);
        assertFalse(Arrays.equals(before, once));
        for (int c = 0; c < 3; c++) {
            for (int y = 0; y < 16; y++) {
                for (int x = 0; x < 12; x++) {
                    assertEquals(before[picture.row(c, y) + x], once[picture.row(c, y) + 11 - x]);
                }
            }
        }
        RandomFlip.mirror(picture);
        assertArrayEquals(before, bytes(picture));
    }

    /** The checksum is that of the build before other techniques existed. */
    @Test
    void g15_crop_and_flip_keep_their_bits() {
        CRC32C checksum = new CRC32C();
        try (DataLoader loader = DataLoader.of(Digits.generate(200, 1, Split.TRAIN), 32)
                .augmented(Augmentation.parse("crop,flip"))
                .shuffled(7)) {
            for (Batch batch : loader.epoch((1L << 33) + 3)) {
                checksum.update(batch.images().data().asByteBuffer());
            }
        }
        assertEquals(0x574825f3L, checksum.getValue());
    }

    @Test
    void g15_a_technique_does_not_depend_on_the_others() {
        for (int i = 0; i < 50; i++) {
            byte[] flipped = augmented("flip", 1, 0, i);
            byte[] both = augmented("flip,erase=1", 1, 0, i);
            int changed = 0;
            for (int p = 0; p < BYTES; p++) {
                changed += flipped[p] == both[p] ? 0 : 1;
            }
            assertTrue(changed > 0 && changed < 0.5 * BYTES, "the rest of the flipped image stays: " + changed);
        }
    }

    @Test
    void g15_resized_crop_of_the_whole_image_is_the_identity() {
        Picture picture = picture(3);
        byte[] before = bytes(picture);
        ResizedCrop.resize(picture, 0, 0, 16, 12, picture);
        picture.swap();
        assertArrayEquals(before, bytes(picture));
    }

    @Test
    void g15_resized_crop_keeps_straight_lines_straight() {
        Picture picture = picture(0);
        for (int p = 0; p < BYTES; p++) {
            picture.set(p, 10 * (p % 12)); // a ramp from left to right
        }
        ResizedCrop.resize(picture, 4, 3, 8, 6, picture);
        picture.swap();
        for (int x = 0; x < 12; x++) {
            double place = Math.clamp((x + 0.5) / 2 - 0.5, 0.0, 5.0); // twice as wide
            assertEquals((int) (10 * (3 + place) + 0.5), picture.get(picture.row(1, 9) + x));
        }
    }

    @Test
    void g15_resized_crops_have_the_areas_and_aspects_that_were_asked_for() {
        // A window of a ramp of ramps says where it was: the first and last pixels are its corners.
        int side = 64;
        Picture picture = new Picture(Shape.of(2, side, side));
        MemorySegment a = Arena.ofAuto().allocate(2L * side * side);
        MemorySegment b = Arena.ofAuto().allocate(2L * side * side);
        Draws draws = new Draws(4);
        double least = 1;
        double most = 0;
        for (int i = 0; i < 500; i++) {
            picture.load(a, b);
            for (int p = 0; p < side * side; p++) {
                picture.set(p, p % side);
                picture.set(side * side + p, p / side);
            }
            draws.image(0, i);
            new ResizedCrop(0.25).apply(picture, draws);
            int last = side * side - 1;
            double width = picture.get(last) - picture.get(0) + 1;
            double height = picture.get(side * side + last) - picture.get(side * side) + 1;
            double area = width * height / side / side;
            assertTrue(width / height > 0.72 && width / height < 1.39, width + " x " + height); // rounded to pixels
            least = Math.min(least, area);
            most = Math.max(most, area);
        }
        assertTrue(least > 0.235 && least < 0.27 && most > 0.93, least + " .. " + most);
    }

    @Test
    void g15_jitter_is_its_formula() {
        Picture picture = picture(2);
        byte[] before = bytes(picture);
        ColorJitter.change(picture, 1, 1, 1);
        assertArrayEquals(before, bytes(picture));
        ColorJitter.change(picture, 1.3, 1, 1);
        for (int p = 0; p < BYTES; p++) {
            assertEquals((int) Math.rint(Math.min(255, 1.3 * value(before, p))), picture.get(p));
        }
        Picture grey = picture(2);
        ColorJitter.change(grey, 1, 1, 0);
        int plane = grey.plane();
        for (int p = 0; p < plane; p++) {
            double expected =
                    0.299 * value(before, p) + 0.587 * value(before, plane + p) + 0.114 * value(before, 2 * plane + p);
            for (int c = 0; c < 3; c++) {
                assertEquals(expected, grey.get(c * plane + p), 0.5 + 1e-9);
            }
        }
        Picture flat = picture(2);
        ColorJitter.change(flat, 1, 0, 1);
        assertEquals(flat.get(0), flat.get(plane - 1), "without contrast all pixels are the mean");
    }

    @Test
    void g15_erasing_covers_its_share_of_images_and_of_each() {
        int erased = 0;
        for (int i = 0; i < 2000; i++) {
            byte[] before = bytes(picture(i % 1000));
            Picture picture = picture(i % 1000);
            Draws draws = new Draws(1);
            draws.image(0, i);
            new RandomErasing(0.25).apply(picture, draws);
            int changed = 0;
            for (int p = 0; p < BYTES; p++) {
                changed += picture.get(p) == value(before, p) ? 0 : 1;
            }
            erased += changed > 0 ? 1 : 0;
            assertTrue(changed <= 0.45 * BYTES, "at most 40 % and what rounding to pixels adds");
        }
        // Binomial with n = 2,000 and p = 1/4: mean 500, standard deviation 19; 5 of them never by chance.
        assertEquals(500, erased, 97);
    }

    @Test
    void names_and_numbers() {
        assertEquals(Augmentation.NONE.crop(4).flip(), Augmentation.parse("crop,flip"));
        assertEquals(Augmentation.parse("flip,crop=4"), Augmentation.parse("crop, flip"));
        assertEquals(Augmentation.NONE, Augmentation.parse("none"));
        assertEquals(
                "resized-crop=0.08,crop=4,flip,jitter=0.4,erase=0.25",
                Augmentation.parse("crop=4,flip,resized-crop,jitter=0.4,erase=0.25")
                        .toString());
        assertEquals("crop=2", Augmentation.NONE.crop(4).crop(2).toString());
        assertNotEquals(Augmentation.NONE.crop(4), Augmentation.NONE.crop(3));
        var e = assertThrows(IllegalArgumentException.class, () -> Augmentation.parse("crop,spin"));
        assertSays(Exception.class, e, "'spin' is unknown; use none, crop=4, flip");
        for (String wrong : List.of(
                "crop=-1", "crop=1.5", "crop=x", "flip=2", "jitter=0", "jitter=2", "jitter=NaN", "erase=1.1", "")) {
            assertThrows(IllegalArgumentException.class, () -> Augmentation.parse(wrong), wrong);
        }
    }
}
