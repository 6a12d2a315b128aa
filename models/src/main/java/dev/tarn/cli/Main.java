package dev.tarn.cli;

import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * The {@code tarn} command. Exit codes: 0 success, 1 failure at work, 2 wrong usage or bad input. Errors are one sentence on
 * standard error.
 */
@Command(
        name = "tarn",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = "Trains and runs convolutional networks on the CPU, with every tensor off the heap.",
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            DemoCommand.class,
            TrainCommand.class,
            ProbeCommand.class,
            EvalCommand.class,
            PredictCommand.class,
            SummaryCommand.class,
            PlanCommand.class,
            GradCheckCommand.class,
            ProfileCommand.class,
            DoctorCommand.class,
            LabCommand.class
        },
        footer = {"", "Start with: tarn demo. Options of a command: tarn COMMAND --help."})
public final class Main implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    /** Runs when no command is given. */
    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "no command given; the commands are "
                        + String.join(", ", spec.subcommands().keySet()));
    }

    /** Runs a command and ends the process with its exit code. */
    public static void main(String[] args) {
        boolean terminal = System.console() != null && System.console().isTerminal();
        System.exit(run(System.out, System.err, terminal ? Progress.Style.BAR : Progress.Style.LINES, args));
    }

    /**
     * Runs a command within this process.
     *
     * @return its exit code
     */
    static int run(PrintStream out, PrintStream err, Progress.Style style, String... args) {
        Streams streams = new Streams(out, err, style);
        CommandLine line = new CommandLine(new Main(), new CommandFactory(streams))
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setOut(writer(out))
                .setErr(writer(err))
                .setExecutionExceptionHandler((e, command, parsed) -> Failure.report(e, command, err))
                .setParameterExceptionHandler((e, unused) -> Failure.reportUsage(e, err));
        line.registerConverter(ByteSize.class, ByteSize::parse);
        return line.execute(args);
    }

    private static PrintWriter writer(PrintStream stream) {
        return new PrintWriter(stream, true, StandardCharsets.UTF_8);
    }
}
