package dev.tarn.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.io.SafeTensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs that are killed between two checkpoints, or whose disk is full. {@code ci/kill-check} kills more, at random moments. */
class KilledRunTest {
    @TempDir
    Path folder;

    /** 32 steps an epoch. */
    private static String[] train(Path out, String... more) {
        List<String> args = new ArrayList<>(List.of("train", "--model", "lenet5", "--data", "digits:2000"));
        args.addAll(List.of("--epochs", "4", "--json", "--checkpoint-steps", "5", "--out", out.toString()));
        args.addAll(List.of(more));
        return args.toArray(String[]::new);
    }

    /** Lets a run go on until its checkpoint is of that step or a later one, and kills it. */
    private void runUntil(long step, Path out, String... more) throws Exception {
        Process process = Cli.start(folder, List.of(), train(out, more));
        while (process.isAlive() && stepOnDisk(out) < step) {
            Thread.sleep(5);
        }
        process.destroyForcibly().waitFor();
        assertEquals(137, process.exitValue(), Files.readString(folder.resolve("stderr")));
    }

    /** Its checksum holds at every moment. */
    private static long stepOnDisk(Path out) throws IOException {
        Path last = out.resolve("last.ckpt");
        return Files.exists(last)
                ? Long.parseLong(SafeTensors.open(last).metadata().get("tarn.step"))
                : 0;
    }

    @Test
    void three_kills_within_epochs_change_nothing() throws Exception {
        Path whole = folder.resolve("whole");
        Object undisturbed = Cli.run(train(whole)).lastEvent().get("weights_sha256");
        Path killed = folder.resolve("killed");
        runUntil(10, killed);
        runUntil(50, killed, "--resume");
        runUntil(85, killed, "--resume");
        Cli last = Cli.run(train(killed, "--resume"));
        assertEquals(undisturbed, last.lastEvent().get("weights_sha256"));
        assertEquals(Sha256.of(whole.resolve("last.ckpt")), Sha256.of(killed.resolve("last.ckpt")));
        try (var files = Files.list(killed)) {
            assertEquals(4, files.count(), "what kills left behind is cleared away");
        }
    }

    @Test
    void a_full_disk_ends_the_run_with_the_last_checkpoint_whole() throws Exception {
        Assumptions.assumeTrue(Files.isExecutable(Path.of("/bin/sh")), "needs a POSIX shell");
        Path out = folder.resolve("run");
        runUntil(10, out);
        String safe = Sha256.of(out.resolve("last.ckpt"));
        long step = stepOnDisk(out);
        // The shell's limit on file sizes, between those of weights and checkpoint, fails a write in the middle as a
        // full disk does.
        List<String> limited = new ArrayList<>(List.of("sh", "-c", "ulimit -f 700; exec \"$@\"", "sh"));
        String classPath = System.getProperty("java.class.path");
        limited.addAll(Cli.java(List.of(), classPath, Main.class.getName(), train(out, "--resume")));
        Cli full = Cli.await(folder, Cli.launch(folder, limited));
        full.assertFails(1, "last.ckpt cannot be written", "bytes are free", "safe up to step " + step + ": ");
        assertEquals(safe, Sha256.of(out.resolve("last.ckpt")));
        try (var files = Files.list(out)) {
            assertTrue(files.noneMatch(file -> file.toString().endsWith(".tmp")));
        }
        Object undisturbed = Cli.run(train(folder.resolve("whole"))).lastEvent().get("weights_sha256");
        assertEquals(undisturbed, Cli.run(train(out, "--resume")).lastEvent().get("weights_sha256"));
    }
}
