package dev.tarn.cli;

import dev.tarn.data.ImageFiles.Corrupt;
import picocli.CommandLine.Option;

/** What becomes of pictures that cannot be decoded. */
final class PictureOptions {
    @Option(
            names = "--corrupt",
            paramLabel = "fail|skip",
            description =
                    "Pictures that cannot be decoded: name the first and fail, or decode all beforehand, name them"
                            + " and leave them out (default: fail).")
    private Corrupt corrupt = Corrupt.FAIL;

    Corrupt corrupt() {
        return corrupt;
    }
}
