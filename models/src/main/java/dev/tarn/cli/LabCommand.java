package dev.tarn.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Experiments and measurements, each a command of its own. */
@Command(
        name = "lab",
        mixinStandardHelpOptions = true,
        description = "Experiments and measurements that show why networks are built and begun as they are.",
        synopsisSubcommandLabel = "EXPERIMENT",
        subcommands = {InitStatsCommand.class, HealthCommand.class})
final class LabCommand implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    /** Runs when no experiment is given. */
    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "no experiment given; there are init-stats and health");
    }
}
