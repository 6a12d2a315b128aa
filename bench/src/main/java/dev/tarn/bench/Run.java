package dev.tarn.bench;

import dev.tarn.bench.Entrant.Setting;
import dev.tarn.io.Json;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What one finished process of a contender found.
 *
 * @param environment what the contender says of itself
 * @param form what its library chose to do
 * @param outputs a file of what is compared, see {@link Contender.Work#outputs}
 * @param rates images per second of each window; empty if none was asked for
 * @param residentBytes peak above the memory of the loaded library
 * @param plannedBytes see {@link Contender.Work#plannedBytes}
 * @param startMillis from the start of the process to its first outputs
 */
record Run(
        Map<String, String> environment,
        String form,
        Path outputs,
        List<Double> rates,
        long residentBytes,
        long plannedBytes,
        double startMillis) {
    /** Steps of training need no Java heap to speak of, and a large one would count as the library's memory. */
    private static final String SMALL_HEAP = "-Xmx64m";

    private static final String LARGE_HEAP = "-Xmx1g";
    private static final double NANOS_PER_MILLI = 1e6;

    /** Properties by which kernels are chosen, which hold for contenders as for the command that starts them. */
    private static final List<String> KERNEL_CHOICE = List.of("tarn.level", "tarn.without");

    /**
     * Runs a process to its end.
     *
     * @throws IOException if it fails, with where its messages are
     */
    static Run of(Entrant entrant, Setting setting, Job job) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        Collections.addAll(
                command,
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                job.task().isTraining() ? SMALL_HEAP : LARGE_HEAP,
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow", // JavaCPP reads arrays by it
                "-Dtarn.openblas.coretype=auto",
                "-Dorg.bytedeco.javacpp.nopointergc=true",
                "-cp",
                entrant.classPath(),
                entrant.mainClass(),
                job.toJson());
        for (String property : KERNEL_CHOICE) {
            String value = System.getProperty(property);
            if (value != null) {
                command.add(1, "-D" + property + "=" + value);
            }
        }
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
        builder.environment().keySet().removeIf(name -> name.startsWith("OPENBLAS_"));
        builder.environment().putAll(setting.variables());
        long start = System.nanoTime();
        Process process = builder.start();
        Map<String, Map<String, @Nullable Object>> events = new LinkedHashMap<>();
        double startMillis = 0;
        try (BufferedReader reader = process.inputReader()) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                if (line.startsWith("{\"event\"")) { // libraries print too
                    Map<String, @Nullable Object> event = Json.read(line);
                    events.put((String) Objects.requireNonNull(event.remove("event")), event);
                    if (events.containsKey("outputs") && startMillis == 0) {
                        startMillis = (System.nanoTime() - start) / NANOS_PER_MILLI;
                    }
                }
            }
        }
        if (process.waitFor() != 0 || !events.containsKey("outputs")) {
            throw new IOException("%s, %s: the process failed with status %d, its messages are above"
                    .formatted(entrant.name(), setting.name(), process.exitValue()));
        }
        return parse(events, startMillis);
    }

    private static Run parse(Map<String, Map<String, @Nullable Object>> events, double startMillis) {
        Map<String, String> environment = new LinkedHashMap<>();
        events.getOrDefault("environment", Map.of())
                .forEach((name, fact) -> environment.put(name, String.valueOf(fact)));
        Map<String, @Nullable Object> found = Objects.requireNonNull(events.get("outputs"));
        Map<String, @Nullable Object> times = events.getOrDefault("times", Map.of());
        List<?> rates = times.get("rates") instanceof List<?> list ? list : List.of();
        return new Run(
                environment,
                String.valueOf(found.getOrDefault("form", "")),
                Path.of((String) Objects.requireNonNull(found.get("file"))),
                rates.stream().map(rate -> ((Number) rate).doubleValue()).toList(),
                number(times, "resident_bytes"),
                number(times, "planned_bytes"),
                startMillis);
    }

    private static long number(Map<String, @Nullable Object> object, String name) {
        return object.get(name) instanceof Number number ? number.longValue() : 0;
    }
}
