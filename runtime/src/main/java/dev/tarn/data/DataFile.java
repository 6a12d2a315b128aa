package dev.tarn.data;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;

/**
 * A file read from front to back through one fixed buffer, unpacked on the way if its name ends in {@code .gz}. Whatever goes
 * wrong is a {@link DataException} that names the file.
 */
final class DataFile implements Closeable {
    private static final int BUFFER = 1 << 16;
    /** Deflate cannot pack better than this, so a packed file bounds what its header may claim. */
    private static final long MOST_PACKED = 1032;

    private final Path path;
    private final InputStream in;
    private final byte[] buffer = new byte[BUFFER];
    private int position;
    private int limit;
    private long consumed;

    private DataFile(Path path, InputStream in) {
        this.path = path;
        this.in = in;
    }

    /** Opens {@code name} or {@code name.gz} in a folder; the unpacked one if both are there. */
    static DataFile open(Path folder, String name) {
        requireFolder(folder);
        Path plain = folder.resolve(name);
        if (Files.exists(plain)) {
            return open(plain);
        }
        Path packed = folder.resolve(name + ".gz");
        if (Files.exists(packed)) {
            return open(packed);
        }
        throw new DataException("%s has neither %s nor %s.gz; put one of them there".formatted(folder, name, name));
    }

    static DataFile open(Path path) {
        try {
            InputStream in = Files.newInputStream(path);
            try {
                boolean packed = path.toString().endsWith(".gz");
                return new DataFile(path, packed ? new GZIPInputStream(in, BUFFER) : in);
            } catch (IOException e) {
                in.close();
                throw e;
            }
        } catch (IOException e) {
            throw unreadable(path, e);
        }
    }

    static void requireFolder(Path folder) {
        if (!Files.isDirectory(folder)) {
            throw new DataException("%s is %s; name the folder that holds the data set"
                    .formatted(folder, Files.exists(folder) ? "not a folder" : "missing"));
        }
    }

    static DataException unreadable(Path path, IOException cause) {
        String what = cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
        return new DataException(
                "%s cannot be read (%s); check the file or fetch it again".formatted(path, what), cause);
    }

    Path path() {
        return path;
    }

    /** The most bytes that the file can yield; exact if it is not packed. */
    long capacity() {
        try {
            long size = Files.size(path);
            return in instanceof GZIPInputStream ? Math.multiplyExact(size, MOST_PACKED) : size;
        } catch (IOException e) {
            throw unreadable(path, e);
        }
    }

    /** The next byte, 0 to 255. */
    int readByte() {
        if (!refill()) {
            throw truncated(1);
        }
        consumed++;
        return buffer[position++] & 0xFF;
    }

    /** The next four bytes as a big-endian number. */
    int readInt() {
        return readByte() << 24 | readByte() << 16 | readByte() << 8 | readByte();
    }

    /** Copies the next bytes into off-heap memory. */
    void read(MemorySegment target, long offset, long byteSize) {
        for (long done = 0; done < byteSize; ) {
            if (!refill()) {
                throw truncated(byteSize - done);
            }
            int count = (int) Math.min(limit - position, byteSize - done);
            MemorySegment.copy(buffer, position, target, ValueLayout.JAVA_BYTE, offset + done, count);
            position += count;
            consumed += count;
            done += count;
        }
    }

    /** @throws DataException if anything follows */
    void requireEnd() {
        if (refill()) {
            throw new DataException(
                    "%s goes on after byte %,d, where its header says it ends; it is not what it claims to be"
                            .formatted(path, consumed));
        }
    }

    private boolean refill() {
        while (position == limit) {
            try {
                int count = in.read(buffer);
                if (count < 0) {
                    return false;
                }
                position = 0;
                limit = count;
            } catch (java.io.EOFException e) {
                throw truncated(1);
            } catch (IOException e) {
                throw unreadable(path, e);
            }
        }
        return true;
    }

    private DataException truncated(long missing) {
        return new DataException(
                "%s is truncated: it ends after %,d bytes and at least %,d more are due; fetch it again"
                        .formatted(path, consumed, missing));
    }

    @Override
    public void close() {
        try {
            in.close();
        } catch (IOException e) {
            throw unreadable(path, e);
        }
    }
}
