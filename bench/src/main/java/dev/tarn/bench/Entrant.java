package dev.tarn.bench;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * A contender as the starter of its processes sees it.
 *
 * @param runs which rows it can run
 * @param settings environments to choose the fastest of, before anything counts
 */
record Entrant(String name, String classPath, String mainClass, Predicate<Row> runs, List<Setting> settings) {
    /** Environment variables with a name. */
    record Setting(String name, Map<String, String> variables) {}

    static final String OURS = "tarn";
    static final String LIBTORCH_NAME = "libtorch";
    static final String DEEPLEARNING4J_NAME = "deeplearning4j";

    private static final Setting PLAIN = new Setting("", Map.of());
    private static final String PACKAGE = "dev.tarn.bench.peers.";

    /** Folders of jars that the Maven profiles of the peers leave, each with the libraries that it holds. */
    private static final Path PEERS = Path.of(System.getProperty("tarn.peers", "bench/peers/target/dist/lib"));

    private static final Path DEEPLEARNING4J =
            Path.of(System.getProperty("tarn.deeplearning4j", "bench/deeplearning4j/target/dist/lib"));

    static Entrant ours() {
        return new Entrant(
                OURS, System.getProperty("java.class.path"), TarnContender.class.getName(), _ -> true, List.of(PLAIN));
    }

    /** What it does in a row: Deeplearning4j has Nesterov's momentum only, one more product for each weight. */
    Task task(Row row) {
        return name.equals(DEEPLEARNING4J_NAME) ? Task.TRAINING_NESTEROV : row.task();
    }

    /** Whether its jars lie where they should. */
    boolean isBuilt() {
        return classPath.endsWith("*") && Files.isDirectory(Path.of(classPath.substring(0, classPath.length() - 1)));
    }

    /** All peers, built or not. */
    static List<Entrant> peers(int threads) {
        return List.of(
                new Entrant(
                        LIBTORCH_NAME,
                        jars(PEERS),
                        PACKAGE + "LibtorchContender",
                        row -> row.task() != Task.TRAINING_LOADER,
                        openMp(threads)),
                new Entrant(
                        "onnxruntime",
                        jars(PEERS),
                        PACKAGE + "OnnxContender",
                        row -> row.task() == Task.INFERENCE,
                        List.of(PLAIN)),
                new Entrant(
                        "onednn",
                        jars(PEERS),
                        PACKAGE + "OneDnnContender",
                        row -> !row.task().isNetwork(),
                        openMp(threads)),
                new Entrant(
                        DEEPLEARNING4J_NAME,
                        jars(DEEPLEARNING4J),
                        "dev.tarn.bench.deeplearning4j.Deeplearning4jContender",
                        row -> row.name().startsWith("training/lenet5/"),
                        openMp(threads)));
    }

    private static String jars(Path folder) {
        return folder + File.separator + "*";
    }

    /**
     * Pinned threads help most kernels and on some machines ruin small ones. OpenBLAS, which libtorch uses for linear
     * layers, brings a second team of threads, which fights with OpenMP's for the processors unless it has one thread.
     */
    private static List<Setting> openMp(int threads) {
        Map<String, String> pinned = Map.of("OMP_PROC_BIND", "close", "OMP_PLACES", "cores");
        Map<String, String> free = Map.of("OMP_PROC_BIND", "false");
        Map<String, String> spinning = Map.of("OMP_PROC_BIND", "false", "OMP_WAIT_POLICY", "active");
        return List.of(
                openMp(threads, 1, "pinned", pinned),
                openMp(threads, 1, "unpinned", free),
                openMp(threads, 1, "unpinned, spinning", spinning),
                openMp(threads, threads, "pinned, OpenBLAS with threads", pinned));
    }

    /**
     * An allocator that keeps memory instead of returning it to the system after each step, which would cost a page
     * fault for every 4 KiB of activations. One arena, since only the first has no limit of 64 MiB, and Java's main
     * thread would get another.
     */
    private static Setting openMp(int threads, int blasThreads, String name, Map<String, String> more) {
        Map<String, String> variables = new LinkedHashMap<>(more);
        variables.put("OMP_NUM_THREADS", Integer.toString(threads));
        variables.put("OPENBLAS_NUM_THREADS", Integer.toString(blasThreads));
        variables.put("MALLOC_ARENA_MAX", "1");
        variables.put("MALLOC_MMAP_THRESHOLD_", "4294967296");
        variables.put("MALLOC_TRIM_THRESHOLD_", "17179869184");
        variables.put("MALLOC_TOP_PAD_", "268435456");
        return new Setting(name, variables);
    }
}
