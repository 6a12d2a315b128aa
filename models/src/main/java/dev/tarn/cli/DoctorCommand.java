package dev.tarn.cli;

import com.sun.management.OperatingSystemMXBean;
import dev.tarn.kernel.KernelLevel;
import dev.tarn.kernel.Kernels;
import dev.tarn.kernel.Machine;
import dev.tarn.kernel.OpenBlasMemory;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Looks at what speed and success depend on, says what is wrong and how to mend it. */
@Command(name = "doctor", description = "Shows what Tarn found on this machine, and what is wrong with it.")
final class DoctorCommand extends Subcommand {
    @Mixin
    private Compute compute = new Compute();

    DoctorCommand(Streams streams) {
        super(streams);
    }

    /** One line: Java, kernels and threads. */
    static String brief(int threads) {
        return "Java %s, kernels %s, OpenBLAS %s, %d thread(s), %s"
                .formatted(
                        Runtime.version().feature(),
                        KernelLevel.label(),
                        Machine.openBlasCore().isEmpty() ? "absent" : Machine.openBlasCore(),
                        threads,
                        Machine.cpu());
    }

    @Override
    void execute() {
        int threads = compute.options().threads();
        Optional<OpenBlasMemory> openBlas = OpenBlasMemory.measure(); // before anything has used it
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("event", "doctor");
        facts.put("tarn", Version.text());
        facts.put("java", Runtime.version().toString());
        facts.put("java_home", System.getProperty("java.home"));
        facts.put("cpu", Machine.cpu());
        facts.put("kernel_level", KernelLevel.label());
        facts.put("kernel_levels", KernelLevel.availableLabels());
        facts.put("kernels_without", List.copyOf(Kernels.leftOut()));
        facts.put("kernel_library", Machine.libraryFile().toString());
        facts.put("openblas_core", Machine.openBlasCore());
        facts.put("openblas_threads", Machine.openBlasThreads());
        openBlas.ifPresent(memory -> {
            facts.put("openblas_library_bytes", memory.libraryBytes());
            facts.put("openblas_buffer_bytes", memory.bufferBytes());
        });
        facts.put("threads", threads);
        facts.put("peak_gflops_one_thread", Machine.peak(1) / 1e9);
        facts.put("peak_gflops", Machine.peak(threads) / 1e9);
        facts.put("memory_bytes", memoryBytes());
        Machine.residentBytes().ifPresent(bytes -> facts.put("resident_bytes", bytes));
        facts.put("max_heap_bytes", Runtime.getRuntime().maxMemory());
        List<String> problems = problems(threads);
        facts.put("problems", problems);
        print(facts, problems);
        emit(facts);
    }

    /** What the machine, or the container around this process, has. */
    private static long memoryBytes() {
        return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize();
    }

    private static List<String> problems(int threads) {
        List<String> problems = new ArrayList<>();
        if (!Machine.openBlasNote().isEmpty()) {
            problems.add("OpenBLAS: " + Machine.openBlasNote());
        }
        if (Machine.openBlasThreads() > 1) {
            problems.add("OpenBLAS runs %d threads of its own, which fight with Tarn's; unset OPENBLAS_NUM_THREADS"
                    .formatted(Machine.openBlasThreads()));
        }
        List<String> levels = KernelLevel.availableLabels();
        if (!KernelLevel.label().equals(levels.getLast())) {
            problems.add("the kernels are held at %s although this processor runs %s; leave out -D%s"
                    .formatted(KernelLevel.label(), levels.getLast(), KernelLevel.PROPERTY));
        }
        if (!Kernels.leftOut().isEmpty()) {
            problems.add("the kernels do without %s, which is slower; leave out -D%s"
                    .formatted(String.join(", ", Kernels.leftOut()), Kernels.WITHOUT));
        }
        if (List.of("ref", "blas").contains(levels.getLast())) {
            problems.add(
                    "there are no vector kernels for this processor, so everything is slow; use an x86-64 with AVX2"
                            + " or a 64-bit Arm");
        }
        int processors = Runtime.getRuntime().availableProcessors();
        if (threads > processors) {
            problems.add("%d threads share %d processors, which is slower than %d; lower --threads"
                    .formatted(threads, processors, processors));
        }
        return problems;
    }

    private void print(Map<String, Object> facts, List<String> problems) {
        PrintStream text = text();
        facts.forEach((name, value) -> {
            if (!name.equals("event") && !name.equals("problems")) {
                text.printf("%-24s %s%n", name.replace('_', ' '), readable(value));
            }
        });
        problems.forEach(problem -> text.println("problem: " + problem));
        text.println(problems.isEmpty() ? "nothing is wrong" : problems.size() + " problem(s)");
    }

    private static String readable(Object value) {
        return switch (value) {
            case Double d -> String.format(Locale.ROOT, "%.1f", d);
            case Long l -> String.format(Locale.ROOT, "%,d", l);
            case List<?> list ->
                String.join(", ", list.stream().map(String::valueOf).toList());
            default -> String.valueOf(value);
        };
    }
}
