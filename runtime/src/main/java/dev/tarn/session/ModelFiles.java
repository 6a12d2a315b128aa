package dev.tarn.session;

import dev.tarn.io.FileFormatException;
import dev.tarn.io.SafeTensors;
import dev.tarn.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Whether a file's tensors are those that a model has. */
final class ModelFiles {
    /** PyTorch counts batches in BatchNorm layers; nothing here depends on it. */
    private static final String IGNORED_SUFFIX = "num_batches_tracked";

    private ModelFiles() {}

    /** @throws FileFormatException that lists every tensor that is missing, unknown or of another shape */
    static void requireSameTensors(Path file, Map<String, Tensor> own, SafeTensors tensors) throws FileFormatException {
        List<String> problems = new ArrayList<>();
        own.forEach((path, tensor) -> {
            if (!tensors.names().contains(path)) {
                problems.add("%s %s is missing".formatted(path, tensor.shape()));
            } else if (!tensors.tensor(path).shape().equals(tensor.shape())) {
                problems.add("%s is %s in the file and %s in the model"
                        .formatted(path, tensors.tensor(path).shape(), tensor.shape()));
            }
        });
        for (String name : tensors.names()) {
            if (!own.containsKey(name)
                    && !name.endsWith(IGNORED_SUFFIX)
                    && !name.startsWith(StoredPreprocessing.RESERVED)) {
                problems.add("%s is not part of the model".formatted(name));
            }
        }
        if (!problems.isEmpty()) {
            int shown = Math.min(problems.size(), 5);
            throw new FileFormatException(
                    file,
                    "does not hold the weights of this model: %s%s"
                            .formatted(
                                    String.join("; ", problems.subList(0, shown)),
                                    problems.size() > shown ? "; and %d more".formatted(problems.size() - shown) : ""));
        }
    }

    /** The step that a checkpoint was taken at. */
    static long requireStep(Path file, Map<String, String> metadata, String key) throws FileFormatException {
        try {
            return Long.parseLong(metadata.getOrDefault(key, ""));
        } catch (NumberFormatException e) {
            throw new FileFormatException(file, "is no checkpoint: its metadata has no " + key);
        }
    }
}
