package dev.tarn.session;

import dev.tarn.io.FileFormatException;
import dev.tarn.optim.Plateau;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * How far a run is, as its checkpoint keeps it beside weights, optimizer state and step.
 *
 * @param validations all so far, of which whatever else a run decides by is a function
 * @param epoch what the epoch under way has come to, or null between epochs
 */
record RunProgress(List<Validation> validations, @Nullable EpochSums epoch) {
    static final RunProgress NONE = new RunProgress(List.of(), null);

    private static final String VALIDATIONS = "tarn.validations"; // epoch, loss and accuracy, a line for each
    private static final String EPOCH = "tarn.epoch"; // examples, correct, loss and nanoseconds

    RunProgress {
        validations = List.copyOf(validations);
    }

    RunProgress with(Validation next) {
        List<Validation> all = new ArrayList<>(validations);
        all.add(next);
        return new RunProgress(all, null);
    }

    RunProgress within(EpochSums sums) {
        return new RunProgress(validations, sums);
    }

    /** What the epoch under way has come to. */
    EpochSums sums() {
        return epoch == null ? EpochSums.NONE : epoch;
    }

    /** Counted from 0: which epoch comes next, or goes on, after so many steps. */
    long epochAt(long step, long batches) {
        return (epoch == null ? step : step - 1) / batches; // one whose last step is done is to be validated yet
    }

    /** The first of the highest accuracy; there is one. */
    Validation best() {
        Validation best = validations.getFirst();
        for (Validation validation : validations) {
            best = validation.accuracy() > best.accuracy() ? validation : best;
        }
        return best;
    }

    /** What the validations made of a plateau. */
    Plateau.State stateOf(Plateau plateau) {
        Plateau.State state = Plateau.State.START;
        for (Validation validation : validations) {
            state = plateau.after(state, 1 - validation.accuracy());
        }
        return state;
    }

    Map<String, String> addTo(Map<String, String> metadata) {
        Map<String, String> all = new LinkedHashMap<>(metadata);
        all.put(
                VALIDATIONS,
                validations.stream()
                        .map(v -> "%d %s %s".formatted(v.epoch(), v.loss(), v.accuracy()))
                        .collect(Collectors.joining("\n")));
        if (epoch != null) {
            all.put(EPOCH, "%d %d %s %d".formatted(epoch.examples(), epoch.correct(), epoch.loss(), epoch.nanos()));
        }
        return all;
    }

    static RunProgress of(Path file, Map<String, String> metadata) throws FileFormatException {
        try {
            List<Validation> validations = metadata.getOrDefault(VALIDATIONS, "none")
                    .lines()
                    .map(line -> line.split(" ", 3))
                    .map(v -> new Validation(Long.parseLong(v[0]), Double.parseDouble(v[1]), Double.parseDouble(v[2])))
                    .toList();
            String epoch = metadata.get(EPOCH);
            return new RunProgress(validations, epoch == null ? null : sums(epoch.split(" ", 4)));
        } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
            throw new FileFormatException(
                    file, "is no checkpoint of a run: its metadata do not say how its epochs went", e);
        }
    }

    private static EpochSums sums(String[] numbers) {
        return new EpochSums(
                Long.parseLong(numbers[0]),
                Long.parseLong(numbers[1]),
                Double.parseDouble(numbers[2]),
                Long.parseLong(numbers[3]));
    }
}
