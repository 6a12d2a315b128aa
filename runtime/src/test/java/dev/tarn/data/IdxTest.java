package dev.tarn.data;

import static dev.tarn.Messages.assertSays;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.tarn.TestData;
import dev.tarn.tensor.Shape;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IdxTest {
    private static final String IMAGES = "train-images-idx3-ubyte";
    private static final String LABELS = "train-labels-idx1-ubyte";

    @TempDir
    Path folder;

    /** Two images of 2 x 3 with the pixels 1 to 12 and the labels 7 and 0. */
    @BeforeEach
    void write_a_good_pair() throws IOException {
        Files.write(folder.resolve(IMAGES), images(0x803, 2, 2, 3, 12));
        Files.write(folder.resolve(LABELS), labels(0x801, 2, 7, 0));
    }

    private static byte[] images(int magic, int count, int rows, int columns, int pixels) {
        ByteBuffer buffer = ByteBuffer.allocate(16 + pixels);
        buffer.putInt(magic).putInt(count).putInt(rows).putInt(columns);
        for (int i = 1; i <= pixels; i++) {
            buffer.put((byte) i);
        }
        return buffer.array();
    }

    private static byte[] labels(int magic, int count, int... labels) {
        ByteBuffer buffer = ByteBuffer.allocate(8 + labels.length).putInt(magic).putInt(count);
        for (int label : labels) {
            buffer.put((byte) label);
        }
        return buffer.array();
    }

    private static byte[] gzip(byte[] content) throws IOException {
        var packed = new java.io.ByteArrayOutputStream();
        try (OutputStream out = new GZIPOutputStream(packed)) {
            out.write(content);
        }
        return packed.toByteArray();
    }

    static byte[] pixels(Dataset dataset, long index) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment image = arena.allocate(dataset.imageShape().elementCount());
            dataset.read(index, image);
            return image.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    private void assertFails(String... parts) {
        assertSays(DataException.class, assertThrows(DataException.class, () -> Idx.read(folder, Split.TRAIN)), parts);
    }

    @Test
    void plain_pair() {
        Dataset dataset = Idx.read(folder, Split.TRAIN);
        assertEquals(2, dataset.size());
        assertEquals(Shape.of(1, 2, 3), dataset.imageShape());
        assertEquals(7, dataset.label(0));
        assertEquals(0, dataset.label(1));
        assertArrayEquals(new byte[] {1, 2, 3, 4, 5, 6}, pixels(dataset, 0));
        assertArrayEquals(new byte[] {7, 8, 9, 10, 11, 12}, pixels(dataset, 1));
        assertEquals("9", dataset.classNames().get(9));
    }

    @Test
    void index_outside() {
        Dataset dataset = Idx.read(folder, Split.TRAIN);
        assertThrows(IndexOutOfBoundsException.class, () -> dataset.label(2));
        assertThrows(IndexOutOfBoundsException.class, () -> pixels(dataset, -1));
    }

    @Test
    void packed_pair() throws IOException {
        byte[] content = Files.readAllBytes(folder.resolve(IMAGES));
        Files.delete(folder.resolve(IMAGES));
        Files.write(folder.resolve(IMAGES + ".gz"), gzip(content));
        assertArrayEquals(new byte[] {7, 8, 9, 10, 11, 12}, pixels(Idx.read(folder, Split.TRAIN), 1));
    }

    @Test
    void missing_folder() {
        Path missing = folder.resolve("nowhere");
        DataException e = assertThrows(DataException.class, () -> Idx.read(missing, Split.TRAIN));
        assertSays(Exception.class, e, "nowhere is missing");
    }

    @Test
    void missing_file() throws IOException {
        Files.delete(folder.resolve(LABELS));
        assertFails(folder.toString(), LABELS + " nor " + LABELS + ".gz");
    }

    @Test
    void wrong_magic() throws IOException {
        Files.write(folder.resolve(IMAGES), images(0x801, 2, 2, 3, 12));
        assertFails(IMAGES, "0x00000801 (2049)", "0x00000803 (2051)");
    }

    @Test
    void truncated_header() throws IOException {
        Files.write(folder.resolve(IMAGES), new byte[] {0, 0, 8});
        assertFails(IMAGES, "truncated", "3 bytes");
    }

    @Test
    void truncated_images() throws IOException {
        Files.write(folder.resolve(IMAGES), images(0x803, 2, 2, 3, 10));
        assertFails(IMAGES, "2 images of 2 x 3", "26 bytes", "truncated");
    }

    @Test
    void truncated_packed_images() throws IOException {
        Files.delete(folder.resolve(IMAGES));
        byte[] packed = gzip(images(0x803, 2, 2, 3, 12));
        Files.write(folder.resolve(IMAGES + ".gz"), Arrays.copyOf(packed, packed.length - 12));
        assertFails(IMAGES + ".gz", "truncated");
    }

    @Test
    void damaged_packed_images() throws IOException {
        Files.delete(folder.resolve(IMAGES));
        byte[] packed = gzip(images(0x803, 2, 2, 3, 12));
        packed[packed.length - 8] ^= 1; // of the checksum
        Files.write(folder.resolve(IMAGES + ".gz"), packed);
        assertFails(IMAGES + ".gz", "cannot be read");
    }

    @Test
    void packed_in_name_only() throws IOException {
        Files.move(folder.resolve(IMAGES), folder.resolve(IMAGES + ".gz"));
        assertFails(IMAGES + ".gz", "GZIP");
    }

    @Test
    void trailing_bytes() throws IOException {
        Files.write(folder.resolve(IMAGES), images(0x803, 2, 2, 3, 13));
        assertFails(IMAGES, "goes on after byte 28");
    }

    @Test
    void trailing_labels() throws IOException {
        Files.write(folder.resolve(LABELS), labels(0x801, 2, 7, 0, 1));
        assertFails(LABELS, "goes on after byte 10");
    }

    @Test
    void counts_differ() throws IOException {
        Files.write(folder.resolve(LABELS), labels(0x801, 3, 7, 0, 1));
        assertFails("2 images", "3", IMAGES, LABELS);
    }

    @Test
    void label_out_of_range() throws IOException {
        Files.write(folder.resolve(LABELS), labels(0x801, 2, 7, 10));
        assertFails(LABELS, "label 10", "image 1", "0 to 9");
    }

    @Test
    void absurd_sizes_are_refused_before_memory_is_taken() throws IOException {
        Files.write(folder.resolve(IMAGES), images(0x803, Integer.MAX_VALUE, Integer.MAX_VALUE, Integer.MAX_VALUE, 0));
        assertFails("2,147,483,647", "at most 16 bytes");
        Files.write(folder.resolve(IMAGES), images(0x803, -1, 28, 28, 0));
        assertFails("-1 images of 28 x 28", "positive");
        Files.write(folder.resolve(IMAGES), images(0x803, 0, 28, 28, 0));
        assertFails("0 images", "positive");
    }

    @Test
    void class_names_from_a_file() throws IOException {
        Files.writeString(folder.resolve("classes.txt"), "a\n b \n\nc\nd\ne\nf\ng\nh\n");
        assertEquals(
                List.of("a", "b", "c", "d", "e", "f", "g", "h"),
                Idx.read(folder, Split.TRAIN).classNames());
        Files.writeString(folder.resolve("classes.txt"), "a\nb\n");
        assertFails("label 7", "2 classes");
        Files.writeString(folder.resolve("classes.txt"), "\n");
        assertFails("classes.txt", "one a line");
    }

    @Test
    void fashion_mnist_as_published() {
        Path data = TestData.require("fashion-mnist");
        Dataset train = Idx.read(data, Split.TRAIN);
        assertEquals(60_000, train.size());
        assertEquals(Shape.of(1, 28, 28), train.imageShape());
        assertEquals("Ankle boot", train.classNames().get(train.label(0)));
        long[] perClass = new long[10];
        for (long i = 0; i < train.size(); i++) {
            perClass[train.label(i)]++;
        }
        assertArrayEquals(new long[] {6000, 6000, 6000, 6000, 6000, 6000, 6000, 6000, 6000, 6000}, perClass);
        Normalization statistics = Normalization.measure(train);
        assertEquals(0.2860f, statistics.mean().getFirst(), 5e-5f);
        assertEquals(0.3530f, statistics.std().getFirst(), 5e-5f);
        assertEquals(10_000, Idx.read(data, Split.TEST).size());
    }

    @Test
    void mnist_as_published() {
        Path data = TestData.require("mnist");
        Dataset train = Idx.read(data, Split.TRAIN);
        assertEquals(60_000, train.size());
        assertEquals(5, train.label(0));
        Normalization statistics = Normalization.measure(train);
        assertEquals(0.1307f, statistics.mean().getFirst(), 5e-5f);
        assertEquals(0.3081f, statistics.std().getFirst(), 5e-5f);
        assertEquals(7, Idx.read(data, Split.TEST).label(0));
    }
}
