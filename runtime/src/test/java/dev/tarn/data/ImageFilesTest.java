package dev.tarn.data;

import static dev.tarn.Messages.assertSays;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.data.ImageFiles.Corrupt;
import dev.tarn.tensor.Shape;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageFilesTest {
    private static final Fit FIT = new Fit(16, 18);

    @TempDir
    private Path root;

    private Path put(String name, byte[] bytes) {
        return Pictures.write(root.resolve(name), bytes);
    }

    private Dataset open(Split split, Corrupt corrupt) {
        return ImageFiles.folder(root, split, FIT, corrupt);
    }

    private static byte[] read(Dataset dataset, long index) {
        MemorySegment image = Arena.ofAuto().allocate(dataset.imageShape().elementCount());
        dataset.read(index, image);
        return Pictures.bytes(image, image.byteSize());
    }

    private void putSplits() {
        for (String split : List.of("train", "val")) {
            put(split + "/cat/a.JPG", Pictures.jpeg(30, 20, 1));
            put(split + "/cat/deeper/b.png", Pictures.png(20, 30, 2));
            put(split + "/dog/c.jpeg", Pictures.jpeg(25, 25, 3));
            put(split + "/dog/notes.txt", new byte[] {1, 2, 3});
            put(split + "/.hidden/x.jpg", Pictures.jpeg(25, 25, 4));
            put(split + "/readme.jpg", Pictures.jpeg(25, 25, 5)); // in no class
        }
    }

    @Test
    void classes_are_sub_folders_and_splits_have_folders_of_their_own() {
        putSplits();
        put("train/ant/d.png", Pictures.png(16, 16, 9));
        Dataset train = open(Split.TRAIN, Corrupt.FAIL);
        assertEquals(List.of("ant", "cat", "dog"), train.classNames());
        assertEquals(Shape.of(3, 16, 16), train.imageShape());
        assertEquals(4, train.size());
        ImageFiles test = (ImageFiles) open(Split.TEST, Corrupt.FAIL);
        assertEquals(List.of("ant", "cat", "dog"), test.classNames(), "those of the training split");
        assertEquals(3, test.size());
        assertEquals(List.of(1, 1, 2), List.of(test.label(0), test.label(1), test.label(2)));
        assertEquals(root.resolve("val/cat/deeper/b.png"), test.file(1));
        assertThrows(IndexOutOfBoundsException.class, () -> read(test, 3));
        put("val/bee/e.png", Pictures.png(16, 16, 9));
        assertSays(
                DataException.class, assertThrows(DataException.class, () -> open(Split.TEST, Corrupt.FAIL)), "'bee'");
    }

    @Test
    void without_folders_for_splits_a_fifth_is_held_out() {
        for (int i = 0; i < 150; i++) {
            put((i % 2 == 0 ? "even/" : "odd/") + i + ".png", Pictures.png(18 + i, 18, i));
        }
        Dataset train = open(Split.TRAIN, Corrupt.FAIL);
        Dataset test = open(Split.TEST, Corrupt.FAIL);
        assertEquals(150, train.size() + test.size());
        assertEquals(30, test.size(), 24, "binomial with n = 150, p = 1/5: standard deviation 4.9");
        Set<String> seen = new HashSet<>();
        for (Dataset part : List.of(train, test)) {
            assertEquals(List.of("even", "odd"), part.classNames());
            for (long i = 0; i < part.size(); i++) {
                assertTrue(seen.add(Arrays.toString(read(part, i))), "no picture is in both");
            }
        }
        HeldOut again = HeldOut.split(train, 0.1); // splits of splits are independent
        assertTrue(again.validation().size() > 0);
        String fingerprint = Fingerprint.of(test);
        assertEquals(fingerprint, Fingerprint.of(open(Split.TEST, Corrupt.FAIL)));
        assertNotEquals(fingerprint, Fingerprint.of(train));
    }

    @Test
    void nothing_there() throws IOException {
        assertSays(DataException.class, failure(), "no sub-folders");
        Files.createDirectories(root.resolve("cat"));
        assertSays(DataException.class, failure(), "no JPEG or PNG file");
        var e = assertThrows(
                DataException.class, () -> ImageFiles.folder(root.resolve("no"), Split.TRAIN, FIT, Corrupt.FAIL));
        assertSays(DataException.class, e, "missing");
    }

    private DataException failure() {
        return assertThrows(DataException.class, () -> open(Split.TRAIN, Corrupt.FAIL));
    }

    @Test
    void files_with_a_damaged_header_are_named_or_left_out() {
        putSplits();
        put("train/cat/aa.jpg", "no picture".getBytes());
        assertSays(DataException.class, failure(), "aa.jpg cannot be used: it is neither JPEG nor PNG");
        put("train/cat/empty.jpg", new byte[0]);
        put("train/cat/huge.png", Pictures.pngOf(100_000, 100_000));
        assertSays(DataException.class, failure(), "aa.jpg (and 2 other files) cannot be used");
        Dataset rest = open(Split.TRAIN, Corrupt.SKIP);
        assertEquals(3, rest.size());
        assertArrayEquals(read(open(Split.TEST, Corrupt.FAIL), 1), read(rest, 1));
    }

    @Test
    void files_with_damaged_pixels_are_named_or_left_out() {
        putSplits();
        byte[] whole = Pictures.jpeg(60, 60, 7);
        put("train/cat/aa.jpg", Arrays.copyOf(whole, whole.length * 2 / 3));
        Dataset strict = open(Split.TRAIN, Corrupt.FAIL);
        assertEquals(4, strict.size());
        var e = assertThrows(DataException.class, () -> read(strict, 1));
        assertSays(DataException.class, e, "aa.jpg cannot be used: it is damaged: Truncated File");
        Dataset lenient = open(Split.TRAIN, Corrupt.SKIP);
        assertEquals(3, lenient.size());
        assertArrayEquals(read(strict, 2), read(lenient, 1));
    }

    @Test
    void pictures_without_a_class() {
        Path a = put("a.png", Pictures.png(40, 20, 1));
        Path b = put("b.jpg", Pictures.jpeg(20, 40, 2));
        ImageFiles photos = ImageFiles.of(List.of(b, a), FIT, Corrupt.FAIL);
        assertEquals(2, photos.size());
        assertEquals(b, photos.file(0));
        assertEquals(0, photos.label(1));
        assertTrue(ImageFiles.isPicture(a));
        assertTrue(!ImageFiles.isPicture(root) && !ImageFiles.isPicture(root.resolve("c.png")));
    }

    @Test
    void by_name() {
        putSplits();
        Dataset dataset = DataUri.open("folder:" + root, Split.TRAIN, 1, FIT, Corrupt.FAIL);
        assertEquals(3, dataset.size());
        assertEquals(
                Shape.of(3, 224, 224),
                DataUri.open("folder:" + root, Split.TEST, 1).imageShape());
    }
}
