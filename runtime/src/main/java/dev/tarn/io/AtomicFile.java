package dev.tarn.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Replaces a file as a whole: the content goes to a temporary file beside it, is forced to the disk, and takes the name in one step.
 * A kill or a full disk at any moment leaves the old file or the new one, never a part. What a kill leaves behind is a
 * {@code .NAME.PID-N.tmp}, which nothing reads.
 */
public final class AtomicFile {
    private static final AtomicLong COUNT = new AtomicLong();

    private AtomicFile() {}

    /** Writes the new content to a channel that is at position 0. */
    @FunctionalInterface
    public interface Content {
        void writeTo(FileChannel channel) throws IOException;
    }

    /**
     * Replaces {@code target}, or makes it.
     *
     * @throws IOException if that fails, with the old file untouched and the temporary one removed
     */
    public static void write(Path target, Content content) throws IOException {
        Path absolute = target.toAbsolutePath();
        Path folder = absolute.getParent();
        if (folder == null || Files.isDirectory(absolute)) {
            throw new IOException("%s is a folder; name a file to write to".formatted(target));
        }
        long process = ProcessHandle.current().pid();
        Path temporary =
                folder.resolve(".%s.%d-%d.tmp".formatted(absolute.getFileName(), process, COUNT.getAndIncrement()));
        try {
            try (FileChannel channel =
                    FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                content.writeTo(channel);
                channel.force(true);
            }
            Files.move(temporary, absolute, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            force(folder);
        } catch (Throwable e) {
            try {
                Files.deleteIfExists(temporary);
            } catch (IOException suppressed) {
                e.addSuppressed(suppressed);
            }
            if (e instanceof IOException io) {
                throw failed(target, io);
            }
            throw e;
        }
    }

    /** Replaces {@code target}, or makes it, as UTF-8 text. */
    public static void write(Path target, String text) throws IOException {
        write(target, channel -> writeFully(channel, text));
    }

    /** Writes UTF-8 text where a channel stands. */
    public static void writeFully(FileChannel channel, String text) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
    }

    /** The error that writing {@code target} failed, with what to do about it. */
    static IOException failed(Path target, IOException cause) {
        String reason = cause instanceof FileSystemException f && f.getReason() != null
                ? f.getReason()
                : cause.getMessage() == null ? "" : " " + cause.getMessage();
        return new IOException(
                "%s cannot be written (%s%s%s); what was there before is untouched; check that the folder exists, may be written to, and that the disk has room"
                        .formatted(target, cause.getClass().getSimpleName(), reason, room(target)),
                cause);
    }

    private static String room(Path target) {
        Path folder = target.toAbsolutePath().getParent();
        try {
            return folder == null
                    ? ""
                    : "; %,d bytes are free there"
                            .formatted(Files.getFileStore(folder).getUsableSpace());
        } catch (IOException e) {
            return ""; // the folder is missing, which is what the message says
        }
    }

    /** Without this the new name itself could be lost when the machine stops. */
    private static void force(Path folder) throws IOException {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }
}
