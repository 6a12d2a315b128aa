package dev.tarn.cli;

import dev.tarn.io.Json;
import java.io.IOException;
import java.io.PrintStream;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** What all commands have in common. */
@Command(mixinStandardHelpOptions = true, sortOptions = false, usageHelpAutoWidth = true)
abstract class Subcommand implements Callable<Integer> {
    @Option(
            names = "--json",
            description = "Write JSON Lines to standard output, and text for people to standard error.")
    private boolean json;

    @Option(names = "--stacktrace", description = "On an error, show where in the program it arose.")
    private boolean stacktrace;

    private final Streams streams;

    Subcommand(Streams streams) {
        this.streams = streams;
    }

    /** Does the work; whatever goes wrong is an exception, which {@link Failure} puts into words. */
    abstract void execute() throws Exception;

    @Override
    public final Integer call() throws Exception {
        try {
            execute();
            return 0;
        } catch (OutOfMemoryError e) {
            throw new IOException("memory ran out: %s; a smaller --batch needs less".formatted(e.getMessage()), e);
        } catch (ExceptionInInitializerError e) { // a setting that is read once, such as the kernel level
            if (e.getCause() instanceof Exception cause) {
                throw cause;
            }
            throw e;
        }
    }

    final boolean showsStacktrace() {
        return stacktrace;
    }

    final boolean isJson() {
        return json;
    }

    /**
     * An option that must be there; picocli does not ask for those that are in groups.
     *
     * @throws UsageException if it is not
     */
    static String require(String option, @Nullable String value) {
        if (value == null) {
            throw new UsageException("%s is missing; say it, or see --help".formatted(option));
        }
        return value;
    }

    /** Text for people. */
    final PrintStream text() {
        return json ? streams.err() : streams.out();
    }

    /** Text for people beside results that are for programs in any case. */
    final PrintStream errors() {
        return streams.err();
    }

    /** Progress on standard error, as a bar on a terminal. */
    final Progress progress() {
        return new Progress(streams.err(), streams.style());
    }

    /** Writes an object for programs, if they are listening. */
    final void emit(Map<String, ? extends @Nullable Object> object) {
        if (json) {
            emitAlways(object);
        }
    }

    /** Writes an object for programs. */
    final void emitAlways(Map<String, ? extends @Nullable Object> object) {
        streams.out().println(Json.line(object));
        streams.out().flush();
    }
}
