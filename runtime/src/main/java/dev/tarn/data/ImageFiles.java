package dev.tarn.data;

import dev.tarn.tensor.Shape;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Labelled JPEG and PNG files, decoded by the JDK whenever they are read and brought to one size by a {@link Fit}: RGB, upright by their
 * EXIF orientation, without regard to alpha and colour profiles.
 *
 * <p>Files that are no pictures, claim more than 64 megapixels or are damaged are corrupt. Which images there are, and in which order, is
 * settled when a data set is opened: {@link Corrupt} says how.
 *
 * <p>Unlike other data sets this one allocates when it is read: off the heap three bytes for each pixel of the file that is decoded (four in
 * case of CMYK or alpha), freed at once, and what the JDK's readers take. Names stay on the heap.
 */
public final class ImageFiles implements DecodedDataset {
    /** What becomes of files that cannot be decoded. */
    public enum Corrupt {
        /** They end the work, with their name. Headers are read when a data set is opened, pixels when an image is. */
        FAIL,
        /** They are left out and named in warnings. For that all files are decoded once when a data set is opened. */
        SKIP
    }

    private static final System.Logger LOG = System.getLogger(ImageFiles.class.getName());
    private static final double TEST_SHARE = 0.2;
    private static final int TEST_DIGEST = 8; // not the bytes by which a validation split is held out of the rest
    private static final int BUFFER = 1 << 16;

    private final List<Path> files;
    private final int[] labels;
    private final List<String> classNames;
    private final Fit fit;

    private ImageFiles(List<Path> files, int[] labels, List<String> classNames, Fit fit) {
        this.files = files;
        this.labels = labels;
        this.classNames = List.copyOf(classNames);
        this.fit = fit;
    }

    /**
     * Pictures that lie in one sub-folder for each class: the sub-folders' names in order are the classes, and the files in and below them,
     * in the order of their names, the images. Other files and hidden folders are ignored.
     *
     * <p>If the folder has a folder {@code train}, the classes are in there, and those of the test split in {@code val} or {@code test}. If
     * there is no such folder, a fifth of the images is the test split, chosen as {@link HeldOut} chooses.
     *
     * @throws DataException if there are no such files, or one is corrupt and that is not to be skipped
     */
    public static Dataset folder(Path folder, Split split, Fit fit, Corrupt corrupt) {
        DataFile.requireFolder(folder);
        Path inner = folder.resolve("train");
        Path train = Files.isDirectory(inner) ? inner : folder;
        List<String> names = classes(train);
        Path test = train.equals(folder) ? null : testFolder(folder);
        if (test == null) {
            HeldOut parts = HeldOut.split(read(train, names, fit, corrupt), TEST_SHARE, TEST_DIGEST);
            return split == Split.TRAIN ? parts.train() : parts.validation();
        }
        if (split == Split.TEST && !names.containsAll(classes(test))) {
            List<String> unknown = new ArrayList<>(classes(test));
            unknown.removeAll(names);
            throw new DataException("%s has the class '%s', which %s has not; a network cannot learn it"
                    .formatted(test, unknown.getFirst(), train));
        }
        return read(split == Split.TRAIN ? train : test, names, fit, corrupt);
    }

    private static @Nullable Path testFolder(Path folder) {
        for (String name : List.of("val", "test")) {
            if (Files.isDirectory(folder.resolve(name))) {
                return folder.resolve(name);
            }
        }
        return null;
    }

    private static List<String> classes(Path folder) {
        try (var entries = Files.list(folder)) {
            List<String> names = entries.filter(Files::isDirectory)
                    .map(path -> path.getFileName().toString())
                    .filter(name -> !name.startsWith("."))
                    .sorted()
                    .toList();
            if (names.isEmpty()) {
                throw new DataException(
                        "%s has no sub-folders; put the pictures of each class into one that is named after it"
                                .formatted(folder));
            }
            return names;
        } catch (IOException e) {
            throw DataFile.unreadable(folder, e);
        }
    }

    private static ImageFiles read(Path folder, List<String> names, Fit fit, Corrupt corrupt) {
        List<Path> files = new ArrayList<>();
        List<Integer> labels = new ArrayList<>();
        for (int label = 0; label < names.size(); label++) {
            Path of = folder.resolve(names.get(label));
            if (!Files.isDirectory(of)) {
                continue; // a class without test images
            }
            try (var below = Files.walk(of)) {
                below.filter(ImageFiles::isPicture).sorted().forEach(files::add);
            } catch (IOException e) {
                throw DataFile.unreadable(of, e);
            } catch (UncheckedIOException e) {
                throw DataFile.unreadable(of, Objects.requireNonNull(e.getCause()));
            }
            while (labels.size() < files.size()) {
                labels.add(label);
            }
        }
        return checked(files, labels, names, fit, corrupt, folder);
    }

    /** Whether a file is one of those that are read, by its name: {@code .jpg}, {@code .jpeg} or {@code .png}. */
    public static boolean isPicture(Path file) {
        String name = file.toString().toLowerCase(Locale.ROOT);
        return (name.endsWith(".jpg") || name.endsWith(".jpeg") || name.endsWith(".png")) && Files.isRegularFile(file);
    }

    /**
     * Pictures of no known class, all labelled 0.
     *
     * @throws DataException if one is corrupt and that is not to be skipped, or none is left
     */
    public static ImageFiles of(List<Path> files, Fit fit, Corrupt corrupt) {
        return checked(files, Collections.nCopies(files.size(), 0), List.of("unknown"), fit, corrupt, files);
    }

    private static ImageFiles checked(
            List<Path> files, List<Integer> labels, List<String> names, Fit fit, Corrupt corrupt, Object source) {
        String[] wrong = new String[files.size()];
        IntStream.range(0, wrong.length).parallel().forEach(i -> wrong[i] = problem(files.get(i), corrupt));
        int[] usable =
                IntStream.range(0, wrong.length).filter(i -> wrong[i] == null).toArray();
        for (int i = 0; i < wrong.length; i++) {
            if (wrong[i] != null && corrupt == Corrupt.FAIL) {
                throw unusable(files.get(i), wrong[i], wrong.length - usable.length - 1);
            }
            if (wrong[i] != null) {
                LOG.log(Level.WARNING, "{0} is left out: {1}", files.get(i), wrong[i]);
            }
        }
        if (usable.length == 0) {
            throw new DataException("%s has no JPEG or PNG file that can be read".formatted(source));
        }
        return new ImageFiles(
                Arrays.stream(usable).mapToObj(files::get).toList(),
                Arrays.stream(usable).map(labels::get).toArray(),
                names,
                fit);
    }

    private static @Nullable String problem(Path file, Corrupt corrupt) {
        try (Arena arena = Arena.ofConfined()) {
            if (corrupt == Corrupt.SKIP) {
                ImageDecoder.decode(file, arena);
            } else {
                ImageHeader.read(file);
            }
            return null;
        } catch (IOException e) {
            return String.valueOf(e.getMessage());
        }
    }

    private static DataException unusable(Path file, String problem, int others) {
        String more = others == 0 ? "" : " (and %,d other files)".formatted(others);
        return new DataException(
                "%s%s cannot be used: %s; mend or remove it, or skip corrupt files".formatted(file, more, problem));
    }

    /** The file of an image. */
    public Path file(long index) {
        return files.get(Math.toIntExact(index));
    }

    @Override
    public String name(long index) {
        return file(index).toString();
    }

    @Override
    public Fit fit() {
        return fit;
    }

    @Override
    public long size() {
        return files.size();
    }

    @Override
    public Shape imageShape() {
        return Shape.of(3, fit.side(), fit.side());
    }

    @Override
    public List<String> classNames() {
        return classNames;
    }

    @Override
    public int label(long index) {
        return labels[Math.toIntExact(index)];
    }

    @Override
    public Picture decode(long index, Arena arena) {
        Path file = file(index);
        try {
            return ImageDecoder.decode(file, arena);
        } catch (IOException e) {
            throw unusable(file, String.valueOf(e.getMessage()), 0);
        }
    }

    @Override
    public void readFile(long index, Consumer<ByteBuffer> sink) {
        Path file = file(index);
        byte[] buffer = new byte[BUFFER];
        try (InputStream in = Files.newInputStream(file)) {
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                sink.accept(ByteBuffer.wrap(buffer, 0, count));
            }
        } catch (IOException e) {
            throw DataFile.unreadable(file, e);
        }
    }
}
