package dev.tarn.session;

import dev.tarn.io.FileFormatException;
import dev.tarn.optim.Plateau;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * How far a run is, as its checkpoint keeps it beside weights, optimizer state and step: all validations, of which whatever else a run
 * decides by is a function.
 */
record RunProgress(List<Validation> validations) {
    static final RunProgress NONE = new RunProgress(List.of());

    private static final String VALIDATIONS = "tarn.validations"; // epoch, loss and accuracy, a line for each

    RunProgress {
        validations = List.copyOf(validations);
    }

    RunProgress with(Validation next) {
        List<Validation> all = new ArrayList<>(validations);
        all.add(next);
        return new RunProgress(all);
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
        return all;
    }

    static RunProgress of(Path file, Map<String, String> metadata) throws FileFormatException {
        try {
            return new RunProgress(metadata.getOrDefault(VALIDATIONS, "none")
                    .lines()
                    .map(line -> line.split(" ", 3))
                    .map(v -> new Validation(Long.parseLong(v[0]), Double.parseDouble(v[1]), Double.parseDouble(v[2])))
                    .toList());
        } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
            throw new FileFormatException(
                    file, "is no checkpoint of a run: its metadata do not say how its validations went", e);
        }
    }
}
