package dev.tarn.bench;

import dev.tarn.io.Json;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What one process is asked to do: a line of JSON on its command line.
 *
 * @param subject a network of the model zoo, or a layer of {@link LayerShape}
 * @param folder where initial weights lie ({@link #weights}) and outputs are put
 * @param windows how many windows are timed; 0 ends the process after its outputs
 * @param seconds length of a window; the warm-up takes twice that
 */
public record Job(Task task, String subject, int batch, int threads, Path folder, int windows, double seconds) {
    /** Another task on the same subject. */
    public Job with(Task other) {
        return new Job(other, subject, batch, threads, folder, windows, seconds);
    }

    /** The same job with other timing. */
    public Job timed(int count, double length) {
        return new Job(task, subject, batch, threads, folder, count, length);
    }

    /** The same job with other threads. */
    public Job withThreads(int count) {
        return new Job(task, subject, batch, count, folder, windows, seconds);
    }

    /** Initial weights of the network. */
    public Path weights() {
        return folder.resolve(subject + ".safetensors");
    }

    String toJson() {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("task", task.label());
        object.put("subject", subject);
        object.put("batch", batch);
        object.put("threads", threads);
        object.put("folder", folder.toString());
        object.put("windows", windows);
        object.put("seconds", seconds);
        return Json.line(object);
    }

    static Job parse(String json) {
        Map<String, @Nullable Object> object = Json.read(json);
        return new Job(
                Task.of(text(object, "task")),
                text(object, "subject"),
                number(object, "batch").intValue(),
                number(object, "threads").intValue(),
                Path.of(text(object, "folder")),
                number(object, "windows").intValue(),
                number(object, "seconds").doubleValue());
    }

    private static String text(Map<String, @Nullable Object> object, String name) {
        return (String) Objects.requireNonNull(object.get(name), name);
    }

    private static Number number(Map<String, @Nullable Object> object, String name) {
        return (Number) Objects.requireNonNull(object.get(name), name);
    }
}
