package dev.tarn.bench;

import dev.tarn.bench.Options.UsageException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/** Measures rows of the table beside the peers that are built. */
public final class Bench {
    static final String BUILD_PEERS = "mvn -DskipTests -Ppeers -pl bench/peers -am package";
    private static final String BUILD_DEEPLEARNING4J =
            "mvn -DskipTests -Pdeeplearning4j -pl bench/deeplearning4j -am package";

    private Bench() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        try {
            Options options = Options.parse(arguments);
            if (options.help) {
                System.out.print("""
                    tarn bench [ROW...] [OPTION...]

                    Measures rows of the table of targets, here and in the peers that are built, in processes that take
                    turns; their outputs are compared before a time counts. A ROW is the name of one or the beginning
                    of several, such as training or inference/lenet5/1; without any, all are measured.

                    """);
                System.out.print(Options.USAGE);
                System.out.println("\nRows:");
                Row.all().forEach(row -> System.out.println("  " + row.name()));
                return;
            }
            System.exit(run(options));
        } catch (UsageException e) {
            System.err.println("tarn bench: " + e.getMessage());
            System.exit(2);
        }
    }

    /** Exit status 1 if a row could not be measured. */
    private static int run(Options options) throws InterruptedException, IOException {
        List<Row> rows = Row.all();
        Predicate<String> chosen = options.chosen(rows.stream().map(Row::name).toList());
        List<Entrant> peers = built(options.threads);
        Limits limits = Limits.measure(options.threads);
        Map<String, Object> machine = new LinkedHashMap<>();
        machine.putAll(Machine.describe());
        machine.put("threads", options.threads);
        machine.put("limits", limits.toString());
        machine.put("options", options.timing());
        machine.forEach((name, value) -> System.err.printf("%-14s %s%n", name, value));
        Report report = Report.open(options.out, machine);
        int failures = 0;
        System.out.println(Report.header());
        for (Row row : rows) {
            if (!chosen.test(row.name())) {
                continue;
            }
            try {
                RowResult result = Race.run(row, peers, options, limits);
                System.out.println(Report.line(result));
                report.add(result);
            } catch (IllegalStateException | IOException e) {
                failures++;
                System.err.println(row.name() + ": " + e.getMessage());
                report.addFailure(row, String.valueOf(e.getMessage()));
            }
        }
        report.summary().forEach(System.err::println);
        System.err.println("written: " + options.out);
        return failures == 0 ? 0 : 1;
    }

    private static List<Entrant> built(int threads) {
        List<Entrant> built = new ArrayList<>();
        for (Entrant peer : Entrant.peers(threads)) {
            if (peer.isBuilt()) {
                built.add(peer);
            } else {
                System.err.printf(
                        "%s is not built; for a comparison with it run %s%n",
                        peer.name(),
                        peer.name().equals(Entrant.DEEPLEARNING4J_NAME) ? BUILD_DEEPLEARNING4J : BUILD_PEERS);
            }
        }
        return built;
    }
}
