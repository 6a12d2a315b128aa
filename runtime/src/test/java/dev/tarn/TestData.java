package dev.tarn;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/** Real data that tests read if it is there: the folder named by the property {@code tarn.data}. */
public final class TestData {
    private TestData() {}

    /** A file or folder of it; without it the test is skipped, and says so. */
    public static Path require(String name) {
        Path root = Path.of(System.getProperty("tarn.data", "../../shared/data")); // tests run in the module's folder
        Path path = root.resolve(name);
        Assumptions.assumeTrue(
                Files.exists(path), () -> path + " is missing; -Dtarn.data=DIR names the folder of test data");
        return path;
    }
}
