package dev.tarn.cli;

import dev.tarn.kernel.Machine;
import dev.tarn.profile.Profile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Where the time of a recorded run went. */
@Command(
        name = "profile",
        description =
                "Shows where the time of a run went, layer by layer: of a run of train --profile, or of any recording"
                        + " of JDK Flight Recorder.")
final class ProfileCommand extends Subcommand {
    /** What a run folder calls its recording. */
    static final String FILE = "profile.jfr";

    private static final String ROW = "%-32s %9s %12s %7s %9s %8s %7s%n";

    @Parameters(paramLabel = "RUN|FILE.jfr", description = "A run folder with a recording, or a recording.")
    private Path path = Path.of("");

    ProfileCommand(Streams streams) {
        super(streams);
    }

    @Override
    void execute() throws IOException {
        Path file = Files.isDirectory(path) ? path.resolve(FILE) : path;
        if (!Files.exists(file)) {
            throw new UsageException("%s is missing; tarn train --profile records a run".formatted(file));
        }
        Profile profile = Profile.read(file);
        double peak = Machine.peak(profile.threads());
        text().printf(
                        Locale.ROOT,
                        "%s: %.1f s, %d thread(s); peak is %.1f GFLOP/s of float32, measured now%n",
                        file,
                        profile.wallNanos() / 1e9,
                        profile.threads(),
                        peak / 1e9);
        for (Profile.Pass pass : profile.passes()) {
            show(profile, pass, peak);
        }
        text().println();
        long wall = profile.wallNanos();
        print(
                "waiting for data",
                new Work(profile.waits().calls(), profile.waits().nanos()),
                wall,
                peak);
        print(
                "writing files",
                new Work(profile.writes().calls(), profile.writes().nanos()),
                wall,
                peak);
        print("the rest", new Work(0, rest(profile)), wall, peak);
        emit(total(profile, peak));
    }

    /** A line of the table. */
    private record Work(long calls, long nanos, long flops, long bytes) {
        Work(long calls, long nanos) {
            this(calls, nanos, 0, 0);
        }

        void addTo(Map<String, Object> event, long wallNanos, double peak) {
            event.put("calls", calls);
            event.put("seconds", nanos / 1e9);
            event.put("share", nanos / (double) wallNanos);
            event.put("gflops", (double) flops / nanos);
            event.put("gigabytes_per_second", (double) bytes / nanos);
            event.put("peak_share", 1e9 * flops / nanos / peak);
        }
    }

    private void show(Profile profile, Profile.Pass pass, double peak) {
        List<Profile.Layer> layers = profile.layers().stream()
                .filter(layer -> layer.pass().equals(pass.name()))
                .toList();
        text().println();
        if (!layers.isEmpty()) {
            text().printf(ROW, pass.name(), "calls", "ms", "share", "GFLOP/s", "GB/s", "peak");
        }
        for (Profile.Layer layer : layers) {
            var work = new Work(layer.calls(), layer.nanos(), layer.flops(), layer.bytes());
            print("  " + layer.name(), work, profile.wallNanos(), peak);
            Map<String, Object> event = new LinkedHashMap<>();
            event.put("event", "layer");
            event.put("name", layer.name());
            event.put("pass", layer.pass());
            work.addTo(event, profile.wallNanos(), peak);
            event.put("kernels", layer.kernels());
            emit(event);
        }
        if (!layers.isEmpty()) {
            print("  between kernels", new Work(0, pass.nanos() - pass.kernelNanos()), profile.wallNanos(), peak);
        }
        var work = new Work(pass.calls(), pass.nanos(), pass.flops(), pass.bytes());
        print("all of " + pass.name(), work, profile.wallNanos(), peak);
        Map<String, Object> event = new LinkedHashMap<>();
        event.put("event", "pass");
        event.put("name", pass.name());
        work.addTo(event, profile.wallNanos(), peak);
        event.put("images", pass.images());
        event.put("kernel_seconds", pass.kernelNanos() / 1e9);
        emit(event);
    }

    private void print(String name, Work work, long wallNanos, double peak) {
        text().printf(
                        ROW,
                        name,
                        work.calls == 0 ? "" : "%,d".formatted(work.calls),
                        String.format(Locale.ROOT, "%,.1f", work.nanos / 1e6),
                        percent(work.nanos / (double) wallNanos),
                        rate(work.flops, work.nanos),
                        rate(work.bytes, work.nanos),
                        work.flops == 0 ? "" : percent(1e9 * work.flops / work.nanos / peak));
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.1f %%", 100 * share);
    }

    private static String rate(long amount, long nanos) {
        return amount == 0 ? "" : String.format(Locale.ROOT, "%.1f", (double) amount / nanos);
    }

    /** Whatever is no event: sessions before they run, sums of losses, small files, listeners. */
    private static long rest(Profile profile) {
        long passes = profile.passes().stream().mapToLong(Profile.Pass::nanos).sum();
        return profile.wallNanos()
                - passes
                - profile.waits().nanos()
                - profile.writes().nanos();
    }

    private static Map<String, Object> total(Profile profile, double peak) {
        Map<String, Object> event = new LinkedHashMap<>();
        event.put("event", "profile");
        event.put("seconds", profile.wallNanos() / 1e9);
        event.put("threads", profile.threads());
        event.put("peak_gflops", peak / 1e9);
        event.put("waits", profile.waits().calls());
        event.put("wait_seconds", profile.waits().nanos() / 1e9);
        event.put("writes", profile.writes().calls());
        event.put("write_seconds", profile.writes().nanos() / 1e9);
        event.put("written_bytes", profile.writes().bytes());
        event.put("rest_seconds", rest(profile) / 1e9);
        return event;
    }
}
