package dev.tarn.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.io.SafeTensors;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever people get wrong: an exit code, one sentence, and nothing half written. */
class BadInputTest {
    @TempDir
    Path folder;

    private Path out() {
        return folder.resolve("out");
    }

    private Cli train(String model, String data, String... more) {
        String[] args = {"train", "--model", model, "--data", data, "--epochs", "1", "--out", out().toString()};
        String[] all = java.util.Arrays.copyOf(args, args.length + more.length);
        System.arraycopy(more, 0, all, args.length, more.length);
        return Cli.run(all);
    }

    private void assertNothingWritten() {
        assertFalse(Files.exists(out()));
    }

    @Test
    void no_command() {
        Cli.run().assertFails(2, "no command", "tarn --help");
    }

    @Test
    void an_unknown_option() {
        Cli.run("eval", "--weights", "x", "--data", "digits:10", "--bacth", "3")
                .assertFails(2, "--bacth", "tarn eval --help");
    }

    @Test
    void an_unknown_model() {
        train("lenet", "digits:100").assertFails(2, "'lenet'", "lenet5, resnet20, resnet32", "mobilenet_v2");
        assertNothingWritten();
    }

    @Test
    void an_unknown_kind_of_data() {
        train("lenet5", "mnist:x").assertFails(2, "mnist:x", "idx:DIR");
        assertNothingWritten();
    }

    @Test
    void a_missing_data_folder() {
        train("lenet5", "idx:" + folder.resolve("none")).assertFails(2, "none is missing");
        assertNothingWritten();
    }

    @Test
    void a_missing_data_file() {
        train("lenet5", "idx:" + folder).assertFails(2, folder.toString(), "train-images");
    }

    @Test
    void a_truncated_data_file() throws IOException {
        writeIdx(2051, 10, 10 * 784 - 1, 10, 0);
        train("lenet5", "idx:" + folder).assertFails(2, "train-images-idx3-ubyte", "truncated");
        assertNothingWritten();
    }

    @Test
    void a_wrong_magic_number() throws IOException {
        writeIdx(2052, 10, 10 * 784, 10, 0);
        train("lenet5", "idx:" + folder).assertFails(2, "train-images-idx3-ubyte", "2052", "2051");
    }

    @Test
    void a_label_out_of_range() throws IOException {
        writeIdx(2051, 10, 10 * 784, 10, 77);
        train("lenet5", "idx:" + folder).assertFails(2, "train-labels-idx1-ubyte", "77");
    }

    private void writeIdx(int magic, int count, int pixels, int labels, int label) throws IOException {
        for (String split : new String[] {"train", "t10k"}) {
            ByteBuffer images = ByteBuffer.allocate(16 + pixels);
            images.putInt(magic).putInt(count).putInt(28).putInt(28);
            Files.write(folder.resolve(split + "-images-idx3-ubyte"), images.array());
            ByteBuffer numbers = ByteBuffer.allocate(8 + labels);
            numbers.putInt(2049).putInt(labels).put((byte) label);
            Files.write(folder.resolve(split + "-labels-idx1-ubyte"), numbers.array());
        }
    }

    @Test
    void images_that_do_not_fit_the_model() {
        train("vgg11", "digits:100").assertFails(2, "features.14", "floor()");
        assertNothingWritten();
    }

    @Test
    void a_plan_over_the_budget() {
        train("lenet5", "digits:100", "--memory", "1m").assertFails(2, "1,048,576", "smaller batch");
        assertNothingWritten();
    }

    @Test
    void a_size_that_is_none() {
        train("lenet5", "digits:100", "--memory", "lots").assertFails(2, "'lots'", "2g");
    }

    @Test
    void a_learning_rate_that_is_none() {
        train("lenet5", "digits:100", "--lr", "-1").assertFails(2, "learning rate", "-1");
        assertNothingWritten();
    }

    @Test
    void a_folder_that_holds_a_run() throws IOException {
        Files.createDirectories(out());
        Files.writeString(out().resolve("run.json"), "{}");
        train("lenet5", "digits:100").assertFails(2, "holds a run already", "--resume");
        assertEquals("{}", Files.readString(out().resolve("run.json")));
    }

    @Test
    void nothing_to_resume() {
        train("lenet5", "digits:100", "--resume").assertFails(2, "holds no run");
        assertNothingWritten();
    }

    @Test
    void a_folder_under_a_file() throws IOException {
        Files.writeString(out(), "a file");
        train("lenet5", "digits:100").assertFails(2, "out", "cannot be written");
    }

    @Test
    void a_folder_that_may_not_be_written_to() throws IOException {
        Files.createDirectory(
                out(), PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("r-x------")));
        Assumptions.assumeFalse(Files.isWritable(out()), "this user may write everywhere");
        train("lenet5", "digits:100").assertFails(2, "cannot be written");
    }

    /** Linux refuses new files there even to root. */
    @Test
    void a_folder_that_takes_no_files() {
        Assumptions.assumeTrue(Files.isDirectory(Path.of("/proc/self")), "there is no /proc");
        Cli.run("train", "--model", "lenet5", "--data", "digits:100", "--out", "/proc/self")
                .assertFails(2, "/proc/self", "cannot be written");
    }

    @Test
    void a_loss_that_explodes() {
        train("lenet5", "digits:100", "--lr", "1e30").assertFails(1, "epoch 1, step 2", "--lr");
        assertFalse(Files.exists(out().resolve("best.safetensors")));
    }

    /** A limit on the size of files stands for a disk that fails while the first weights are written. */
    @Test
    void a_disk_that_fails_at_work() throws Exception {
        List<String> command = new ArrayList<>(List.of("sh", "-c", "ulimit -f 64 && exec \"$@\"", "sh"));
        command.addAll(Cli.java(
                List.of(),
                System.getProperty("java.class.path"),
                Main.class.getName(),
                "train",
                "--model",
                "lenet5",
                "--data",
                "digits:100",
                "--epochs",
                "1",
                "--out",
                out().toString()));
        Cli.await(folder, Cli.launch(folder, command)).assertFails(1, "best.safetensors cannot be written");
        try (var files = Files.list(out())) {
            assertEquals(
                    List.of("run.json"),
                    files.map(f -> f.getFileName().toString()).toList());
        }
    }

    @Test
    void missing_weights() {
        Cli.run("eval", "--weights", folder.resolve("none").toString(), "--data", "digits:10")
                .assertFails(2, "none is missing");
    }

    @Test
    void overlapping_tensors() throws IOException {
        assertRefused(
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}",
                12,
                "'b' starts at byte 4");
    }

    @Test
    void tensors_out_of_range() throws IOException {
        assertRefused(
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[1000],\"data_offsets\":[0,4000]}}", 8, "holds 8 bytes of data");
    }

    private void assertRefused(String header, int dataBytes, String reason) throws IOException {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer file = ByteBuffer.allocate(8 + json.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
        file.putLong(json.length).put(json);
        Path path = Files.write(folder.resolve("bad.safetensors"), file.array());
        Cli.run("eval", "--weights", path.toString(), "--data", "digits:10").assertFails(2, path.toString(), reason);
    }

    @Test
    void weights_that_do_not_say_what_they_are() throws IOException {
        Path file = writeWeights(Map.of());
        Cli.run("eval", "--weights", file.toString(), "--data", "digits:10", "--mean", "0")
                .assertFails(2, "--model NAME and --std LIST");
    }

    @Test
    void weights_of_another_model() throws IOException {
        Path file = writeWeights(Map.of());
        String[] args = {"--weights", file.toString(), "--model", "lenet5", "--mean", "0", "--std", "1"};
        Cli.run(
                        "predict",
                        args[0],
                        args[1],
                        args[2],
                        args[3],
                        args[4],
                        args[5],
                        args[6],
                        args[7],
                        "--input",
                        "digits:10")
                .assertFails(2, "conv1.weight", "missing");
    }

    @Test
    void a_card_that_makes_no_sense() throws IOException {
        Path file = writeWeights(Map.of("tarn.architecture", "lenet5", "tarn.image", "28x28"));
        Cli.run("eval", "--weights", file.toString(), "--data", "digits:10").assertFails(2, "28x28");
    }

    private Path writeWeights(Map<String, String> metadata) throws IOException {
        Path file = folder.resolve("w.safetensors");
        SafeTensors.write(file, metadata, Map.of("w", Tensor.of(Shape.of(2), 1, 2)));
        return file;
    }

    @Test
    void an_output_that_cannot_be_written_leaves_nothing() throws IOException {
        train("lenet5", "digits:100");
        Path weights = out().resolve("best.safetensors");
        Path target = folder.resolve("none/predictions.jsonl");
        Cli.run("predict", "--weights", weights.toString(), "--input", "digits:10", "--output", target.toString())
                .assertFails(2, "predictions.jsonl", "cannot be written");
        assertFalse(Files.exists(target.getParent()));
    }

    @Test
    void stack_traces_come_when_asked_for() {
        Cli run = Cli.run("train", "--model", "lenet5", "--data", "digits:0", "--stacktrace");
        assertEquals(2, run.code());
        assertTrue(run.err().startsWith("tarn: "), run.err());
        assertTrue(run.err().contains("\tat dev.tarn.data."), run.err());
    }
}
