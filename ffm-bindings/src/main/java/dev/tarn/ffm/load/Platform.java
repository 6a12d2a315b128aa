package dev.tarn.ffm.load;

import java.util.Locale;

/** The operating system and processor of this process, as the folders and jars of native libraries name them. */
public final class Platform {
    private Platform() {}

    /** For instance {@code linux-x86_64} or {@code macosx-arm64}. */
    public static String name() {
        String system = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
        String processor = System.getProperty("os.arch", "");
        String os = system.startsWith("mac") ? "macosx" : system.startsWith("windows") ? "windows" : system;
        return os + "-"
                + switch (processor) {
                    case "amd64", "x86_64" -> "x86_64";
                    case "aarch64" -> "arm64";
                    default -> processor;
                };
    }
}
