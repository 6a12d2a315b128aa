package dev.tarn.io;

import java.io.IOException;
import java.nio.file.Path;

/** A file whose content is not what its format demands: damaged, truncated or hostile. */
public final class FileFormatException extends IOException {
    private static final long serialVersionUID = 1;

    public FileFormatException(Path file, String what) {
        super("%s: %s".formatted(file, what));
    }

    public FileFormatException(Path file, String what, Throwable cause) {
        super("%s: %s".formatted(file, what), cause);
    }
}
