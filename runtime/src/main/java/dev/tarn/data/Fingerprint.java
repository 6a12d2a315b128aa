package dev.tarn.data;

import java.util.HexFormat;
import java.util.zip.CRC32C;

/** Tells data sets apart by what they hold, not by where it came from. */
public final class Fingerprint {
    private Fingerprint() {}

    /**
     * Number and shape of images and the CRC-32C of all pixels and labels: {@code 60000 x (1, 28, 28), crc32c 1a2b3c4d}. Of images in
     * files of their own the files count, and not the pixels that are decoded from them.
     */
    public static String of(Dataset dataset) {
        CRC32C checksum = new CRC32C();
        try (var contents = new Contents(dataset)) {
            for (long i = 0; i < dataset.size(); i++) {
                contents.read(i, checksum::update);
                checksum.update(dataset.label(i));
            }
        }
        return "%d x %s, crc32c %s"
                .formatted(dataset.size(), dataset.imageShape(), HexFormat.of().toHexDigits((int) checksum.getValue()));
    }
}
