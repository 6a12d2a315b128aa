package dev.tarn.bench;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OutputsTest {
    @Test
    void values_survive_a_file(@TempDir Path folder) throws Exception {
        float[] values = {1, -0f, Float.NaN, 1e-40f};
        assertArrayEquals(values, Outputs.read(Outputs.write(folder, values)));
    }

    @Test
    void differences_are_a_share_of_the_largest_element() {
        assertEquals(0.25, Outputs.difference(new float[] {4, 0}, new float[] {4, 1}));
        assertTrue(Double.isNaN(Outputs.difference(new float[] {1, 2}, new float[] {1, Float.NaN})));
        assertEquals(Double.POSITIVE_INFINITY, Outputs.difference(new float[1], new float[2]));
    }

    @Test
    void errors_of_parity_are_relative_but_not_to_rounding() {
        assertEquals(0.1, Parity.error(new float[] {3, 4.5f}, new float[] {3, 4}, 1), 1e-6);
        assertEquals(1e-3, Parity.error(new float[] {1e-5f}, new float[] {0}, 1), 1e-9);
        assertEquals(Double.POSITIVE_INFINITY, Parity.error(new float[1], new float[2], 1));
    }

    @Test
    void a_job_survives_its_line() {
        Job job = new Job(Task.TRAINING_LOADER, "lenet5", 64, 2, Path.of("a b"), 3, 0.25);
        assertEquals(job, Job.parse(job.toJson()));
        assertEquals(1, Job.parse(job.withThreads(1).toJson()).threads());
    }
}
