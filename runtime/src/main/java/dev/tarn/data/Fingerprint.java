package dev.tarn.data;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.zip.CRC32C;

/** Tells data sets apart by what they hold, not by where it came from. */
public final class Fingerprint {
    private Fingerprint() {}

    /** Number and shape of images and the CRC-32C of all pixels and labels: {@code 60000 x (1, 28, 28), crc32c 1a2b3c4d}. */
    public static String of(Dataset dataset) {
        CRC32C checksum = new CRC32C();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment image = arena.allocate(dataset.imageShape().elementCount());
            ByteBuffer bytes = image.asByteBuffer();
            for (long i = 0; i < dataset.size(); i++) {
                dataset.read(i, image);
                checksum.update(bytes.rewind());
                checksum.update(dataset.label(i));
            }
        }
        return "%d x %s, crc32c %s"
                .formatted(dataset.size(), dataset.imageShape(), HexFormat.of().toHexDigits((int) checksum.getValue()));
    }
}
