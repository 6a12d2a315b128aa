package dev.tarn.session;

import dev.tarn.io.FileFormatException;
import dev.tarn.optim.Plateau;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** How far a run is, as its checkpoint keeps it beside weights and optimizer state. */
record RunProgress(long epochs, long bestEpoch, double bestAccuracy, Plateau.State plateau) {
    static final RunProgress NONE = new RunProgress(0, 0, -1, Plateau.State.START);

    private static final String EPOCHS = "tarn.epochs";
    private static final String BEST_EPOCH = "tarn.best_epoch";
    private static final String BEST_ACCURACY = "tarn.best_accuracy";
    private static final String PLATEAU = "tarn.plateau";

    RunProgress withBest(long epoch, double accuracy) {
        return new RunProgress(epochs, epoch, accuracy, plateau);
    }

    RunProgress withEpochs(long count) {
        return new RunProgress(count, bestEpoch, bestAccuracy, plateau);
    }

    RunProgress withPlateau(Plateau.State state) {
        return new RunProgress(epochs, bestEpoch, bestAccuracy, state);
    }

    Map<String, String> addTo(Map<String, String> metadata) {
        Map<String, String> all = new LinkedHashMap<>(metadata);
        all.put(EPOCHS, Long.toString(epochs));
        all.put(BEST_EPOCH, Long.toString(bestEpoch));
        all.put(BEST_ACCURACY, Double.toString(bestAccuracy));
        all.put(PLATEAU, plateau.toString());
        return all;
    }

    static RunProgress of(Path file, Map<String, String> metadata) throws FileFormatException {
        try {
            return new RunProgress(
                    Long.parseLong(metadata.getOrDefault(EPOCHS, "")),
                    Long.parseLong(metadata.getOrDefault(BEST_EPOCH, "")),
                    Double.parseDouble(metadata.getOrDefault(BEST_ACCURACY, "")),
                    Plateau.State.parse(metadata.getOrDefault(PLATEAU, Plateau.State.START.toString())));
        } catch (IllegalArgumentException e) {
            throw new FileFormatException(
                    file, "is no checkpoint of a run: its metadata do not say how many epochs were done", e);
        }
    }
}
