package dev.tarn.bench;

import dev.tarn.io.Json;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;

/** Measures rows of the table beside the peers that are built. */
public final class Bench {
    private Bench() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        int threads = Runtime.getRuntime().availableProcessors();
        int rounds = 3;
        int windows = 5;
        double seconds = 0.3;
        List<String> wanted = new ArrayList<>();
        Deque<String> rest = new ArrayDeque<>(Arrays.asList(arguments));
        while (!rest.isEmpty()) {
            String word = rest.pop();
            switch (word) {
                case "--threads" -> threads = Integer.parseInt(rest.pop());
                case "--rounds" -> rounds = Integer.parseInt(rest.pop());
                case "--windows" -> windows = Integer.parseInt(rest.pop());
                case "--seconds" -> seconds = Double.parseDouble(rest.pop());
                default -> wanted.add(word);
            }
        }
        List<Entrant> peers = Entrant.peers(threads).stream().filter(Entrant::isBuilt).toList();
        for (Row row : Row.all()) {
            if (row.exists() && (wanted.isEmpty() || wanted.stream().anyMatch(row.name()::startsWith))) {
                try {
                    RowResult result = Race.run(row, peers, threads, rounds, windows, seconds);
                    System.out.println(Json.line(result.toMap()));
                } catch (IllegalStateException | IOException e) {
                    System.out.println(row.name() + ": " + e.getMessage());
                }
            }
        }
    }
}
