package dev.tarn.cli;

import dev.tarn.data.Dataset;
import dev.tarn.data.Fingerprint;
import dev.tarn.io.Json;
import dev.tarn.kernel.KernelLevel;
import dev.tarn.kernel.Machine;
import dev.tarn.session.Recipe;
import dev.tarn.session.SessionOptions;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What {@code run.json} holds: under {@code settings} all that the weights are a function of, beside it where they were made. */
final class RunSettings {
    private static final String SETTINGS = "settings";

    private RunSettings() {}

    /** @param more settings beside the recipe */
    static Map<String, Object> of(
            String model,
            String data,
            Recipe recipe,
            Map<String, Object> more,
            SessionOptions options,
            Dataset train,
            Dataset validation) {
        Map<String, Object> settings = new LinkedHashMap<>();
        settings.put("model", model);
        settings.put("recipe", RecipeOptions.toJson(recipe));
        settings.putAll(more);
        settings.put("train_data", Fingerprint.of(train));
        settings.put("validation_data", Fingerprint.of(validation));
        settings.put("kernel_level", KernelLevel.label());
        Map<String, Object> run = new LinkedHashMap<>();
        run.put(SETTINGS, settings);
        run.put("data", data);
        run.put("tarn", Version.text());
        run.put("java", Runtime.version().toString());
        run.put("cpu", Machine.cpu());
        run.put("threads", options.threads());
        return run;
    }

    /** @throws UsageException if a run would not go on as it began; the message names the first difference */
    static void requireSame(Path folder, Map<String, Object> now, Map<String, @Nullable Object> before) {
        Map<?, ?> wanted = section(Json.read(Json.line(now)));
        Map<?, ?> stored = section(before);
        wanted.forEach((key, value) -> {
            if (!Objects.equals(value, stored.get(key))) {
                throw new UsageException(
                        "%s was begun with another %s (%s, now %s); resume it as it was begun, or choose another --out"
                                .formatted(folder, key, stored.get(key), value));
            }
        });
    }

    private static Map<?, ?> section(Map<String, @Nullable Object> run) {
        return run.get(SETTINGS) instanceof Map<?, ?> settings ? settings : Map.of();
    }
}
