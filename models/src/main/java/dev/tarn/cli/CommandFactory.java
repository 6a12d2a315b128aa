package dev.tarn.cli;

import picocli.CommandLine;
import picocli.CommandLine.IFactory;

/** Makes commands, giving each the streams that it writes to. */
record CommandFactory(Streams streams) implements IFactory {
    @Override
    public <K> K create(Class<K> type) throws Exception {
        if (Subcommand.class.isAssignableFrom(type)) {
            return type.getDeclaredConstructor(Streams.class).newInstance(streams);
        }
        return CommandLine.defaultFactory().create(type);
    }
}
