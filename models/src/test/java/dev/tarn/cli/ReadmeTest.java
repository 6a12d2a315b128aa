package dev.tarn.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What the README shows is true. */
class ReadmeTest {
    private static final Path README = Path.of("../README.md"); // tests run in the module's folder
    private static final Path COMMAND = Path.of("COMMAND.md");

    @TempDir
    Path folder;

    @Test
    void its_program_compiles_learns_and_saves() throws Exception {
        Path weights = folder.resolve("digits.safetensors");
        String last = run("TrainDigits", weights.toString());
        assertTrue(Double.parseDouble(last.substring("accuracy ".length())) > 0.9, last);
        assertTrue(Files.size(weights) > 4 * 7_434); // at least its parameters
    }

    @Test
    void its_operation_in_java_has_the_gradient_of_finite_differences() throws Exception {
        String last = run("Snake");
        assertTrue(Double.parseDouble(last.substring("worst relative error ".length())) < 1e-7, last);
    }

    /** Compiles and runs one of the README's programs, and returns the last line that it prints. */
    private String run(String name, String... arguments) throws Exception {
        Matcher program = Pattern.compile(
                        "```java\n((?:(?!```).)*?public final class " + name + "\\b.*?)```", Pattern.DOTALL)
                .matcher(Files.readString(README));
        assertTrue(program.find(), name);
        Path source = Files.writeString(folder.resolve(name + ".java"), program.group(1));
        String classPath = System.getProperty("java.class.path");
        StringWriter messages = new StringWriter();
        var compiler = ToolProvider.getSystemJavaCompiler();
        var files = compiler.getStandardFileManager(null, null, null);
        var options = List.of(
                "-d", folder.toString(), "-cp", classPath, "-Xlint:all,-processing,-path", "-Werror", "-proc:none");
        assertTrue(
                compiler.getTask(messages, files, null, options, null, files.getJavaFileObjects(source))
                        .call(),
                messages.toString());
        List<String> command = Cli.java(List.of(), folder + File.pathSeparator + classPath, name, arguments);
        Cli run = Cli.await(folder, Cli.launch(folder, command));
        assertEquals(0, run.code(), run.err());
        return run.out().lines().reduce("", (a, b) -> b);
    }

    @Test
    void it_names_every_command_and_the_page_of_the_command_all_options_of_train() throws IOException {
        String readme = Files.readString(README);
        String page = Files.readString(COMMAND);
        CommandLine tarn = new CommandLine(
                new Main(), new CommandFactory(new Streams(System.out, System.err, Progress.Style.LINES)));
        for (String command : tarn.getSubcommands().keySet()) {
            assertTrue(readme.contains("`tarn " + command), command);
        }
        for (var option : tarn.getSubcommands().get("train").getCommandSpec().options()) {
            String name = option.longestName().replace("--no-", "--[no-]");
            assertTrue(page.contains(name) || option.usageHelp() || option.versionHelp(), name);
        }
    }
}
