package dev.tarn.ffm.load;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;

/**
 * A folder of unpacked libraries, each in a folder of its own that is named by its content. Any number of processes may share
 * it: a file appears by an atomic rename, complete or not at all, and one that differs from its resource is replaced.
 *
 * <p>What lies here is executed, so folders are created for their owner alone, and one that others may write to is refused. A
 * folder that is already filled may be read-only.
 */
record LibraryCache(Path folder) {

    /** Returns the unpacked file, written now if it is missing or differs. */
    Path place(LibraryResource library) throws IOException {
        Path home = folder.resolve(library.key());
        Files.createDirectories(home, ownerOnly());
        refuseOpenTo(folder);
        refuseOpenTo(home);
        Path file = home.resolve(library.fileName());
        if (!holds(file, library)) {
            write(file, library);
        }
        return file;
    }

    private static void write(Path file, LibraryResource library) throws IOException {
        Path unfinished = Files.createTempFile(file.getParent(), library.fileName(), ".tmp");
        try {
            try (InputStream content = library.url().openStream()) {
                Files.copy(content, unfinished, StandardCopyOption.REPLACE_EXISTING);
            }
            if (!holds(unfinished, library)) {
                throw new IOException("the disk or the jar is damaged: what was written differs from " + library.url());
            }
            Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(unfinished);
        }
    }

    private static boolean holds(Path file, LibraryResource library) throws IOException {
        if (!Files.isRegularFile(file) || Files.size(file) != library.size()) {
            return false;
        }
        // Not mapped: the pages of all of OpenBLAS, 36 MiB, would be resident at once, the most that a small network
        // ever takes.
        try (var content = new CheckedInputStream(Files.newInputStream(file), new CRC32())) {
            content.transferTo(OutputStream.nullOutputStream());
            return content.getChecksum().getValue() == library.crc();
        }
    }

    private static void refuseOpenTo(Path folder) throws IOException {
        Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(folder);
        if (permissions.contains(PosixFilePermission.GROUP_WRITE)
                || permissions.contains(PosixFilePermission.OTHERS_WRITE)) {
            throw new FileSystemException(folder.toString(), null, "others may write to it (chmod go-w mends that)");
        }
    }

    private static FileAttribute<?> ownerOnly() {
        return PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
    }
}
