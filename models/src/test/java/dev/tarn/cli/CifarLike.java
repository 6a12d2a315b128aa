package dev.tarn.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;

/** A few coloured noise images in CIFAR-10's binary form, for tests that need its shape and not its pictures. */
final class CifarLike {
    private static final int RECORD = 1 + 3 * 32 * 32;

    private CifarLike() {}

    /** Writes training and test files; returns the folder as a data URI. */
    static String write(Path parent) throws IOException {
        Path folder = Files.createDirectories(parent.resolve("cifar"));
        Files.write(folder.resolve("data_batch_1.bin"), records(40, 1));
        Files.write(folder.resolve("test_batch.bin"), records(20, 2));
        return "cifar10:" + folder;
    }

    private static byte[] records(int count, long seed) {
        byte[] bytes = new byte[count * RECORD];
        new Random(seed).nextBytes(bytes);
        for (int i = 0; i < count; i++) {
            bytes[i * RECORD] = (byte) (i % 10);
        }
        return bytes;
    }
}
