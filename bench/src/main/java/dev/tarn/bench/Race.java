package dev.tarn.bench;

import dev.tarn.bench.Entrant.Setting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * Measures a row: chooses each contender's setting, then lets processes take turns, so that a change of the machine's
 * mood meets all, and compares their outputs before a time counts. In every round ours runs twice, first and last: the
 * ratio of the two is the noise.
 */
final class Race {
    /** The second of our processes in a round. */
    static final String AGAIN = "tarn again";

    private static final int CALIBRATION_WINDOWS = 2;
    private static final double CALIBRATION_SECONDS = 0.15;

    /** Layers differ too little from each other to choose anew for each. */
    private static final Map<String, Setting> CHOSEN_FOR_LAYERS = new HashMap<>();

    private final Row row;
    private final Job job;
    private final int rounds;
    private final double limit;

    /** What is compared with, by what was computed. */
    private final Map<Task, float[]> expected = new EnumMap<>(Task.class);

    /** How far ours may be from libtorch's steps in double precision; 0: nobody has asked yet. */
    private double rounding;

    /** A process to run in each round. */
    private record Place(String name, Entrant entrant, Setting setting, Job job) {}

    private Race(Row row, Job job, int rounds, double limit) {
        this.row = row;
        this.job = job;
        this.rounds = rounds;
        this.limit = limit;
    }

    static RowResult run(Row row, List<Entrant> peers, Options options, Limits limits)
            throws IOException, InterruptedException {
        Path folder = Files.createTempDirectory("tarn-bench");
        try {
            int windows = switch (row.measure()) {
                case START -> 0;
                case MEMORY -> 1; // no step needs more than those before it
                case RATE, THREADS -> options.windows;
            };
            Job job =
                    new Job(row.task(), row.subject(), row.batch(), options.threads, folder, windows, options.seconds);
            if (row.task().isNetwork()) {
                TarnContender.saveWeights(job);
            }
            return new Race(row, job, options.rounds, limits.imagesPerSecond(row)).run(peers);
        } finally {
            delete(folder);
        }
    }

    /** Deletes a folder of files. */
    static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }

    private RowResult run(List<Entrant> peers) throws IOException, InterruptedException {
        List<Place> places = places(peers);
        Map<String, List<Run>> runs = new LinkedHashMap<>();
        double difference = 0;
        for (int round = 0; round < rounds; round++) {
            for (Place place : places) {
                Run run = Run.of(place.entrant, place.setting, place.job);
                expected.putIfAbsent(job.task(), Outputs.read(run.outputs())); // ours, the first
                difference = Math.max(difference, requireEqual(place, Outputs.read(run.outputs())));
                runs.computeIfAbsent(place.name, _ -> new ArrayList<>()).add(run);
            }
        }
        List<RowResult.Entry> entries = new ArrayList<>();
        for (Place place : places) {
            List<Run> done = runs.getOrDefault(place.name, List.of());
            entries.add(RowResult.Entry.of(place.name, place.setting.name(), done, row.measure()));
        }
        return new RowResult(row, job.threads(), entries, difference, limit, Machine.now());
    }

    private List<Place> places(List<Entrant> peers) throws IOException, InterruptedException {
        Entrant ours = Entrant.ours();
        Setting plain = ours.settings().getFirst();
        List<Place> places = new ArrayList<>();
        places.add(new Place(Entrant.OURS, ours, plain, job));
        if (row.measure() == Measure.THREADS) {
            places.add(new Place("tarn, 1 thread", ours, plain, job.withThreads(1)));
        } else {
            for (Entrant peer : peers) {
                if (peer.runs().test(row)) {
                    places.add(new Place(peer.name(), peer, fastest(peer), job.with(peer.task(row))));
                }
            }
        }
        places.add(new Place(AGAIN, ours, plain, job));
        return places;
    }

    private Setting fastest(Entrant peer) throws IOException, InterruptedException {
        Setting known = row.task().isNetwork() ? null : CHOSEN_FOR_LAYERS.get(peer.name());
        if (known != null) {
            return known;
        }
        Setting best = peer.settings().getFirst();
        if (peer.settings().size() == 1 || row.measure() != Measure.RATE) {
            return best;
        }
        double most = 0;
        for (Setting setting : peer.settings()) {
            Run run = Run.of(peer, setting, job.timed(CALIBRATION_WINDOWS, CALIBRATION_SECONDS));
            double rate = Measure.RATE.of(run);
            if (rate > most) {
                most = rate;
                best = setting;
            }
        }
        if (!row.task().isNetwork()) {
            CHOSEN_FOR_LAYERS.put(peer.name(), best);
        }
        return best;
    }

    private double requireEqual(Place place, float[] actual) throws IOException, InterruptedException {
        float[] ours = expected(Entrant.ours(), place.job.task());
        double difference = Outputs.difference(ours, actual);
        if (!(difference <= row.task().tolerance() || isRounding(place, ours))) {
            throw new IllegalStateException(
                    "the outputs of %s differ from ours by %.1e of the largest, more than %.1e; no time is shown"
                            .formatted(place.name, difference, row.task().tolerance()));
        }
        return difference;
    }

    /** The outputs of a task, from a process of its own where none of the places gives them. */
    private float[] expected(Entrant entrant, Task task) throws IOException, InterruptedException {
        if (!expected.containsKey(task)) {
            Run run = Run.of(
                    entrant, entrant.settings().getFirst(), job.with(task).timed(0, job.seconds()));
            expected.put(task, Outputs.read(run.outputs()));
        }
        return Objects.requireNonNull(expected.get(task));
    }

    /** Whether ours are as near to libtorch's steps in double precision as the network is sensitive to rounding. */
    private boolean isRounding(Place place, float[] ours) throws IOException, InterruptedException {
        if (place.job.task() != Task.TRAINING || !place.entrant.name().equals(Entrant.LIBTORCH_NAME)) {
            return false;
        }
        float[] exact = expected(place.entrant, Task.TRAINING_F64);
        if (rounding == 0) {
            rounding = row.task().tolerance();
            for (Path drawn : Sensitivity.outputs(place.entrant, place.job.timed(0, job.seconds()))) {
                double moved = Outputs.difference(exact, Outputs.read(drawn));
                rounding = Math.max(rounding, Sensitivity.LEEWAY * moved);
            }
        }
        double error = Outputs.difference(exact, ours);
        System.err.printf("%s: ours differ from double precision by %.1e, allowed %.1e%n", row.name(), error, rounding);
        return error <= rounding;
    }
}
