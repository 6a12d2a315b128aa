package dev.tarn.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.tarn.TestData;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class ResamplingTest {
    private final Resampling resampling = new Resampling();

    private static Picture picture(int channels, int height, int width) {
        Picture picture = new Picture(channels, height, width);
        picture.load(Arena.ofAuto().allocate((long) channels * height * width), MemorySegment.NULL);
        return picture;
    }

    private static Picture grey(int height, int width, int... values) {
        Picture picture = picture(1, height, width);
        for (int p = 0; p < values.length; p++) {
            picture.set(p, values[p]);
        }
        return picture;
    }

    /** The source of {@code pillow/recipe.py}. */
    private static Picture noise(int height, int width) {
        Picture picture = picture(3, height, width);
        for (int i = 0; i < 3 * picture.plane(); i++) {
            picture.set((long) i % 3 * picture.plane() + i / 3, (int) (i * 2654435761L >>> 24 & 0xFF));
        }
        return picture;
    }

    private byte[] resize(Picture source, int rows, int columns) {
        resampling.takeColumns(0, source.width, columns, 0, columns);
        resampling.takeRows(0, source.height, rows, 0, rows);
        MemorySegment target = Arena.ofAuto().allocate((long) source.channels * rows * columns);
        resampling.write(source, target);
        return target.toArray(ValueLayout.JAVA_BYTE);
    }

    private static int[] values(byte[] bytes) {
        int[] values = new int[bytes.length];
        Arrays.setAll(values, i -> bytes[i] & 0xFF);
        return values;
    }

    @Test
    void every_byte_of_two_hundred_pictures_is_that_of_pillow() {
        List<String[]> cases = Pictures.pillowTable("resize.txt");
        assertEquals(200, cases.size());
        for (String[] line : cases) {
            int[] n = Arrays.stream(line).limit(8).mapToInt(Integer::parseInt).toArray();
            resampling.takeColumns(n[2], n[4] - n[2], n[6], 0, n[6]);
            resampling.takeRows(n[3], n[5] - n[3], n[7], 0, n[7]);
            MemorySegment target = Arena.ofAuto().allocate(3L * n[6] * n[7]);
            resampling.write(noise(n[1], n[0]), target);
            byte[] got = target.toArray(ValueLayout.JAVA_BYTE);
            assertEquals(line[8], Pictures.crc(got), String.join(" ", line));
        }
    }

    @Test
    void halved_by_hand() {
        // Pixel centres at 1/2 .. 7/2, outputs at 1 and 3 with reach 2: weights 3 3 1 0 and 0 1 3 3 of 7, so 220/7 and
        // 1,060/7.
        assertArrayEquals(new int[] {31, 151}, values(resize(grey(1, 4, 0, 40, 100, 240), 1, 2)));
    }

    @Test
    void enlarged_twice_by_hand() {
        // Outputs at 1/4, 3/4, 5/4, 7/4 between pixels at 1/2 and 3/2: 0, 1/4 and 3/4 of the way, 1.
        assertArrayEquals(new int[] {10, 30, 70, 90}, values(resize(grey(1, 2, 10, 90), 1, 4)));
        assertArrayEquals(new int[] {10, 30, 70, 90}, values(resize(grey(2, 1, 10, 90), 4, 1)));
    }

    @Test
    void constant_pictures_stay_constant() {
        for (int value : new int[] {0, 1, 128, 254, 255}) {
            int[] flat = new int[35 * 53];
            Arrays.fill(flat, value);
            for (int side : new int[] {1, 7, 100}) {
                int[] expected = new int[side * side];
                Arrays.fill(expected, value);
                assertArrayEquals(expected, values(resize(grey(35, 53, flat), side, side)));
            }
        }
    }

    @Test
    void a_part_is_cut_from_the_whole() {
        Picture source = noise(61, 97);
        byte[] whole = resize(source, 40, 50);
        resampling.takeColumns(0, 97, 50, 11, 20);
        resampling.takeRows(0, 61, 40, 5, 30);
        MemorySegment part = Arena.ofAuto().allocate(3 * 30 * 20);
        resampling.write(source, part);
        for (int c = 0; c < 3; c++) {
            for (int y = 0; y < 30; y++) {
                int from = (c * 40 + y + 5) * 50 + 11;
                assertArrayEquals(
                        Arrays.copyOfRange(whole, from, from + 20),
                        part.asSlice((c * 30L + y) * 20, 20).toArray(ValueLayout.JAVA_BYTE));
            }
        }
    }

    @Test
    void fits_are_those_of_torchvision() {
        assertEquals(new Fit(224, 256), Fit.of(224));
        // 97 x 61 with the shorter side 32: floor(32 * 97 / 61) = 50 columns; margins 13 and 4.
        Picture source = noise(61, 97);
        byte[] whole = resize(source, 32, 50);
        MemorySegment got = Arena.ofAuto().allocate(3 * 24 * 24);
        new Fit(24, 32).apply(source, got);
        byte[] row = got.asSlice(0, 24).toArray(ValueLayout.JAVA_BYTE);
        assertArrayEquals(Arrays.copyOfRange(whole, 4 * 50 + 13, 4 * 50 + 37), row);
        assertThrows(IllegalArgumentException.class, () -> new Fit(224, 223));
        assertThrows(IllegalArgumentException.class, () -> new Fit(0, 5));
        assertThrows(IllegalArgumentException.class, () -> new Fit(224, 1 << 20));
    }

    @Test
    void halves_of_margins_are_rounded_to_even() {
        Picture source = noise(16, 16); // 16 - 11 = 5: margin 2; 16 - 13 = 3: margin 2
        MemorySegment got = Arena.ofAuto().allocate(3 * 13 * 13);
        new Fit(13, 16).apply(source, got);
        assertEquals(source.get(source.row(0, 2) + 2), got.get(ValueLayout.JAVA_BYTE, 0) & 0xFF);
        new Fit(11, 16).apply(source, got);
        assertEquals(source.get(source.row(0, 2) + 2), got.get(ValueLayout.JAVA_BYTE, 0) & 0xFF);
    }

    @Test
    void pictures_of_extreme_shape() {
        for (Picture source : List.of(picture(1, 1, 1 << 20), picture(1, 1 << 20, 1))) {
            source.pixels().fill((byte) 9);
            MemorySegment got = Arena.ofAuto().allocate(24 * 24);
            new Fit(24, 32).apply(source, got);
            assertEquals(9, got.get(ValueLayout.JAVA_BYTE, 24 * 24 - 1));
        }
    }

    /** From the file to the tensor: every number is that of Pillow and NumPy, on whose results published weights were judged. */
    @Test
    void a_photo_becomes_the_tensor_that_its_model_was_tested_with() throws IOException {
        Path photo = TestData.require("photos/pelican.jpeg");
        byte[] proto = Files.readAllBytes(TestData.require("models/mobilenet-v1-0.25-224/test_data_set_0/input_0.pb"));
        int count = 3 * 224 * 224;
        // The tensor's raw_data are the last field of the message.
        ByteBuffer expected =
                ByteBuffer.wrap(proto, proto.length - 4 * count, 4 * count).order(ByteOrder.LITTLE_ENDIAN);
        Dataset photos = ImageFiles.of(List.of(photo), Fit.of(224), ImageFiles.Corrupt.FAIL);
        var normalization = new Normalization(List.of(0.5f, 0.5f, 0.5f), List.of(0.5f, 0.5f, 0.5f));
        try (var loader = DataLoader.of(photos, 1).preprocessed(normalization)) {
            float[] got = loader.epoch(0).iterator().next().images().toArray();
            byte[] bytes = new byte[count];
            MemorySegment image = Arena.ofAuto().allocate(count);
            photos.read(0, image);
            MemorySegment.copy(image, ValueLayout.JAVA_BYTE, 0, bytes, 0, count);
            for (int i = 0; i < count; i++) {
                float wanted = expected.getFloat();
                assertEquals(wanted, ((bytes[i] & 0xFF) - 127.5f) / 127.5f, 0f, "byte " + i);
                assertEquals(wanted, got[i], 1e-6f, "float " + i);
            }
        }
    }
}
