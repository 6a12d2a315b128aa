package dev.tarn.bench;

import dev.tarn.io.SafeTensors;
import dev.tarn.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * How far rounding may carry a network's training, asked of libtorch. Where an activation's input is within rounding of zero, or two
 * elements of a pooling window within rounding of each other, a gradient comes or goes whole, and all before that layer inherits a
 * difference of a hundredth. How many do depends on how much a layer rounds, and transforms such as Winograd's of tiles of 4 x 4
 * round about sixteen times as much as direct sums. So libtorch's weights are moved at random by 2^-20 of each: ours may be
 * {@link #LEEWAY} times as far from its results in double precision, from the weights as they were, as the worst of these draws.
 */
final class Sensitivity {
    /** A few draws do not show the worst. */
    static final double LEEWAY = 2;

    private static final double MOVE = 0x1p-20;
    private static final int DRAWS = 2;

    private Sensitivity() {}

    /** What libtorch makes of a job from moved weights, one file for each draw; the job's weights are as before afterwards. */
    static List<Path> outputs(Entrant libtorch, Job job) throws IOException, InterruptedException {
        Path original = Files.move(job.weights(), job.folder().resolve("original.safetensors"));
        SafeTensors weights = SafeTensors.open(original);
        List<Path> outputs = new ArrayList<>();
        try {
            for (int draw = 0; draw < DRAWS; draw++) {
                SafeTensors.write(job.weights(), Map.of(), moved(weights, new Random(draw)));
                outputs.add(
                        Run.of(libtorch, libtorch.settings().getFirst(), job).outputs());
            }
        } finally {
            Files.move(original, job.weights(), StandardCopyOption.REPLACE_EXISTING);
        }
        return outputs;
    }

    /** Weights, each times 1 + {@link #MOVE} g, with g normally distributed. */
    private static Map<String, Tensor> moved(SafeTensors weights, Random random) {
        Map<String, Tensor> moved = new LinkedHashMap<>();
        for (String name : weights.names()) {
            float[] values = weights.tensor(name).toArray();
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) (values[i] * (1 + MOVE * random.nextGaussian()));
            }
            moved.put(name, Tensor.of(weights.tensor(name).shape(), values));
        }
        return moved;
    }
}
