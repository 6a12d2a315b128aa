package dev.tarn.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.tarn.tensor.DType;
import dev.tarn.tensor.Layout;
import dev.tarn.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TeamTest {
    private static final int IMAGES = 23;
    private static final int COUNT = 1 << 16; // a task of an elementwise operation
    private static final int ROUNDS = 200;

    /** More threads than processors, too: then workers are interrupted in the middle of a portion, and others go on without them. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 7})
    void each_task_runs_once_in_each_round(int threads) {
        Tensor sum = Direct.zeros(DType.F32, Layout.ROW_MAJOR, IMAGES, COUNT);
        Tensor one = Direct.zeros(DType.F32, Layout.ROW_MAJOR, IMAGES, COUNT);
        one.fill(() -> 1);
        KernelCall<Tensor> call = KernelCall.<Tensor>of("add", DType.F32)
                .set("count", COUNT)
                .set("a", sum)
                .set("b", one)
                .set("out", sum);
        PlannedKernel<Tensor> planned = Kernels.plan(call, IMAGES);
        MemorySegment[] scratch = new MemorySegment[threads];
        Arrays.setAll(scratch, i -> Direct.memory(planned.scratchBytes()));
        BoundKernel bound = planned.bind(
                Direct.memory(planned.argumentBytes(threads)),
                threads,
                Tensor::data,
                Direct.memory(planned.sharedBytes()),
                scratch);
        int[] expected = new int[IMAGES];
        try (var team = new Team(threads)) {
            for (int round = 0; round < ROUNDS; round++) {
                int n = 1 + round % IMAGES;
                bound.setBatch(n);
                team.run(bound);
                for (int i = 0; i < n; i++) {
                    expected[i]++;
                }
            }
        }
        for (int i = 0; i < IMAGES; i++) {
            for (int j = 0; j < COUNT; j += 4099) {
                assertEquals(expected[i], sum.get(i, j), "image " + i + ", element " + j);
            }
        }
    }
}
