package dev.tarn.cli;

import dev.tarn.data.DataException;
import dev.tarn.io.FileFormatException;
import dev.tarn.kernel.Machine;
import dev.tarn.memory.MemoryBudgetException;
import dev.tarn.session.DivergenceException;
import java.io.IOException;
import java.io.PrintStream;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** Turns what went wrong into one sentence and an exit code. */
final class Failure {
    private static final int AT_WORK = 1;
    private static final int BAD_INPUT = 2;

    private Failure() {}

    /** A command line that cannot be understood. */
    static int reportUsage(ParameterException e, PrintStream err) {
        CommandLine command = e.getCommandLine();
        err.println("tarn: %s; see %s --help"
                .formatted(
                        String.valueOf(e.getMessage()).lines().findFirst().orElse(""),
                        command.getCommandSpec().qualifiedName()));
        return BAD_INPUT;
    }

    /** A command that failed. */
    static int report(Exception e, CommandLine command, PrintStream err) {
        boolean stacktrace = command.getCommand() instanceof Subcommand c && c.showsStacktrace();
        err.println("tarn: " + sentence(e, stacktrace));
        if (stacktrace) {
            e.printStackTrace(err);
        }
        return isBadInput(e) ? BAD_INPUT : AT_WORK;
    }

    private static String sentence(Exception e, boolean stacktrace) {
        String message = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
        boolean isUnderstood = e instanceof IOException
                || e instanceof DivergenceException
                || e instanceof FailedCheckException
                || Machine.isLoadFailure(e);
        if (isBadInput(e) || isUnderstood) {
            return message;
        }
        return "%s: %s; this looks like a bug in Tarn: please report it with the output of %s"
                .formatted(
                        e.getClass().getSimpleName(),
                        message,
                        stacktrace ? "--stacktrace below" : "the same command with --stacktrace");
    }

    private static boolean isBadInput(Exception e) {
        return switch (e) {
            case UsageException unused -> true;
            case DataException unused -> true;
            case FileFormatException unused -> true;
            case MemoryBudgetException unused -> true;
            case IllegalArgumentException unused -> true;
            default -> false;
        };
    }
}
