package dev.tarn.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The folder of one training run: {@code run.json} (all that the run is a function of), {@code metrics.jsonl} (one line for each
 * epoch), {@code best.safetensors} and {@code last.ckpt}. One process writes to it at a time.
 */
public final class RunFolder {
    private static final byte NEWLINE = '\n';

    private final Path path;

    private RunFolder(Path path) {
        this.path = path;
    }

    /**
     * Makes the folder for a new run.
     *
     * @throws IOException if a run is there already
     */
    public static RunFolder create(Path path) throws IOException {
        RunFolder folder = new RunFolder(path);
        for (Path file : List.of(folder.settingsFile(), folder.metricsFile(), folder.best(), folder.last())) {
            if (Files.exists(file)) {
                throw new IOException("%s holds a run already (%s); go on with it by --resume or choose another --out"
                        .formatted(path, file.getFileName()));
            }
        }
        try {
            Files.createDirectories(path);
        } catch (IOException e) {
            throw AtomicFile.failed(path, e);
        }
        return folder;
    }

    /**
     * Opens the folder of a run to go on with it, and clears away what a kill left half written.
     *
     * @throws IOException if there is no run
     */
    public static RunFolder open(Path path) throws IOException {
        RunFolder folder = new RunFolder(path);
        if (!Files.exists(folder.settingsFile())) {
            throw new IOException("%s holds no run (no run.json); start one without --resume".formatted(path));
        }
        try (DirectoryStream<Path> leftovers = Files.newDirectoryStream(path, ".*.tmp")) {
            for (Path file : leftovers) {
                Files.delete(file);
            }
        }
        return folder;
    }

    public Path path() {
        return path;
    }

    /** The weights with the best validation result. */
    public Path best() {
        return path.resolve("best.safetensors");
    }

    /** All that is needed to go on exactly where the run stands. */
    public Path last() {
        return path.resolve("last.ckpt");
    }

    private Path settingsFile() {
        return path.resolve("run.json");
    }

    private Path metricsFile() {
        return path.resolve("metrics.jsonl");
    }

    /** Writes {@code run.json}. */
    public void writeSettings(Map<String, ? extends @Nullable Object> settings) throws IOException {
        AtomicFile.write(settingsFile(), Json.pretty(settings) + "\n");
    }

    /** Reads {@code run.json}. */
    public Map<String, @Nullable Object> settings() throws IOException {
        try {
            return Json.read(Files.readString(settingsFile()));
        } catch (IllegalArgumentException e) {
            throw new FileFormatException(settingsFile(), "is damaged: %s".formatted(e.getMessage()), e);
        }
    }

    /** Reads {@code metrics.jsonl}, if there is one. */
    public List<Map<String, @Nullable Object>> metrics() throws IOException {
        if (!Files.exists(metricsFile())) {
            return List.of();
        }
        try (Stream<String> lines = Files.lines(metricsFile())) {
            return lines.map(Json::read).toList();
        } catch (IllegalArgumentException e) {
            throw new FileFormatException(metricsFile(), "is damaged: %s".formatted(e.getMessage()), e);
        }
    }

    /** Adds a line to {@code metrics.jsonl}; it is on the disk when this returns, whole or, if that fails, not at all. */
    public void appendMetrics(Map<String, ? extends @Nullable Object> line) throws IOException {
        try (FileChannel channel =
                FileChannel.open(metricsFile(), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            long end = channel.size();
            try {
                channel.position(end);
                AtomicFile.writeFully(channel, Json.line(line) + "\n");
                channel.force(true);
            } catch (IOException e) {
                channel.truncate(end);
                throw e;
            }
        } catch (IOException e) {
            throw AtomicFile.failed(metricsFile(), e);
        }
    }

    /**
     * Keeps the first lines of {@code metrics.jsonl}, as many as the run had when the checkpoint it resumes from was written. A last
     * line that a kill cut off does not count.
     *
     * @return how many lines are left: {@code lines}, or fewer if there were fewer
     */
    public long truncateMetrics(long lines) throws IOException {
        if (!Files.exists(metricsFile())) {
            return 0;
        }
        try (FileChannel channel = FileChannel.open(metricsFile(), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer buffer = ByteBuffer.allocate(1 << 13);
            long kept = 0;
            long keptBytes = 0;
            long position = 0;
            while (kept < lines && channel.read(buffer.clear(), position) > 0) {
                buffer.flip();
                for (; buffer.hasRemaining() && kept < lines; position++) {
                    if (buffer.get() == NEWLINE) {
                        kept++;
                        keptBytes = position + 1;
                    }
                }
            }
            channel.truncate(keptBytes);
            channel.force(true);
            return kept;
        }
    }
}
