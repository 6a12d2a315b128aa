package dev.tarn.data;

import static dev.tarn.Messages.assertSays;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.tarn.TestData;
import dev.tarn.tensor.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class Cifar10Test {
    private static final int RECORD = 3073;

    @TempDir
    Path folder;

    private static byte[] records(int... labels) {
        byte[] bytes = new byte[labels.length * RECORD];
        for (int i = 0; i < labels.length; i++) {
            Arrays.fill(bytes, i * RECORD, (i + 1) * RECORD, (byte) (100 + i));
            bytes[i * RECORD] = (byte) labels[i];
        }
        return bytes;
    }

    private void assertFails(Split split, String... parts) {
        assertSays(DataException.class, assertThrows(DataException.class, () -> Cifar10.read(folder, split)), parts);
    }

    @Test
    void as_many_batches_as_are_there_in_order() throws IOException {
        Files.write(folder.resolve("data_batch_4.bin"), records(9));
        Files.write(folder.resolve("data_batch_2.bin"), records(3, 4));
        Dataset dataset = Cifar10.read(folder, Split.TRAIN);
        assertEquals(3, dataset.size());
        assertArrayEquals(
                new int[] {3, 4, 9}, IntStream.range(0, 3).map(dataset::label).toArray());
        byte[] expected = new byte[3072];
        Arrays.fill(expected, (byte) 101);
        assertArrayEquals(expected, IdxTest.pixels(dataset, 1));
        assertEquals("truck", dataset.classNames().get(9));
    }

    @Test
    void no_files() {
        assertFails(Split.TRAIN, folder.toString(), "data_batch_1.bin to data_batch_5.bin");
        assertFails(Split.TEST, folder.toString(), "test_batch.bin");
    }

    @Test
    void truncated_record() throws IOException {
        Files.write(folder.resolve("test_batch.bin"), Arrays.copyOf(records(1, 2), 2 * RECORD - 1));
        assertFails(Split.TEST, "test_batch.bin", "6,145 bytes", "3,073");
    }

    @Test
    void empty_file() throws IOException {
        Files.write(folder.resolve("test_batch.bin"), new byte[0]);
        assertFails(Split.TEST, "test_batch.bin", "0 bytes");
    }

    @Test
    void label_out_of_range() throws IOException {
        Files.write(folder.resolve("test_batch.bin"), records(1, 200));
        assertFails(Split.TEST, "test_batch.bin", "label 200", "image 1", "0 to 9");
    }

    @Test
    void wrong_number_of_class_names() throws IOException {
        Files.write(folder.resolve("test_batch.bin"), records(1));
        Files.writeString(folder.resolve("batches.meta.txt"), "cat\ndog\n");
        assertFails(Split.TEST, "batches.meta.txt", "2 classes");
    }

    @Test
    void as_published() {
        Path data = TestData.require("cifar10");
        Dataset train = Cifar10.read(data, Split.TRAIN);
        assertEquals(20_000, train.size());
        assertEquals(Shape.of(3, 32, 32), train.imageShape());
        assertArrayEquals(
                new int[] {6, 9, 9, 4, 1, 1, 2, 7, 8, 3},
                IntStream.range(0, 10).map(train::label).toArray());
        assertArrayEquals(
                new int[] {1, 6, 6, 8, 8, 3, 4, 6, 0, 6},
                IntStream.range(10_000, 10_010).map(train::label).toArray());
        assertEquals("frog", train.classNames().get(6));
        Dataset test = Cifar10.read(data, Split.TEST);
        assertArrayEquals(
                new int[] {3, 8, 8, 0, 6, 6, 1, 6, 3, 1},
                IntStream.range(0, 10).map(test::label).toArray());
        Normalization statistics = Normalization.measure(train);
        float[] mean = {0.4914f, 0.4822f, 0.4465f};
        float[] std = {0.2470f, 0.2435f, 0.2616f};
        for (int c = 0; c < 3; c++) {
            // Published for 50,000 images, of which 20,000 are here: the difference of two means of that many images
            // whose own
            // means spread by less than 0.13 is below 0.13 * sqrt(1/20000 - 1/50000) = 0.0007 with 1 sigma, taken 4
            // times.
            assertEquals(mean[c], statistics.mean().get(c), 0.0028f);
            assertEquals(std[c], statistics.std().get(c), 0.0028f);
        }
    }
}
