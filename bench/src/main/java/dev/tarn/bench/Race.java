package dev.tarn.bench;

import dev.tarn.bench.Entrant.Setting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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

    /** A process to run in each round. */
    private record Place(String name, Entrant entrant, Setting setting, Job job) {}

    private Race(Row row, Job job, int rounds) {
        this.row = row;
        this.job = job;
        this.rounds = rounds;
    }

    static RowResult run(Row row, List<Entrant> peers, Options options) throws IOException, InterruptedException {
        Path folder = Files.createTempDirectory("tarn-bench");
        try {
            int windows = row.measure() == Measure.START ? 0 : options.windows;
            Job job = new Job(
                    row.task(), row.subject(), row.batch(), options.threads, folder, windows, options.seconds);
            if (row.task().isNetwork()) {
                TarnContender.saveWeights(job);
            }
            return new Race(row, job, options.rounds).run(peers);
        } finally {
            try (Stream<Path> files = Files.list(folder)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(folder);
        }
    }

    private RowResult run(List<Entrant> peers) throws IOException, InterruptedException {
        List<Place> places = places(peers);
        Map<String, List<Run>> runs = new LinkedHashMap<>();
        double difference = 0;
        for (int round = 0; round < rounds; round++) {
            Run reference = null;
            for (Place place : places) {
                Run run = Run.of(place.entrant, place.setting, place.job);
                reference = reference == null ? run : reference;
                difference = Math.max(difference, requireEqual(place, reference, run));
                runs.computeIfAbsent(place.name, _ -> new ArrayList<>()).add(run);
            }
        }
        List<RowResult.Entry> entries = new ArrayList<>();
        for (Place place : places) {
            entries.add(new RowResult.Entry(place.name, place.setting.name(), runs.getOrDefault(place.name, List.of())));
        }
        return new RowResult(row, job.threads(), entries, difference);
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
                if (peer.tasks().contains(row.task())) {
                    places.add(new Place(peer.name(), peer, fastest(peer), job));
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

    private double requireEqual(Place place, Run reference, Run run) {
        double difference = Outputs.difference(reference.outputs(), run.outputs());
        if (!(difference <= row.task().tolerance())) {
            throw new IllegalStateException(
                    "%s: the outputs of %s differ from ours by %.1e of the largest, more than %.1e; no time is shown"
                            .formatted(
                                    row.name(), place.name, difference, row.task().tolerance()));
        }
        return difference;
    }
}
