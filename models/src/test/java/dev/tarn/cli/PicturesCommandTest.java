package dev.tarn.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Folders of pictures through train, eval and predict. */
class PicturesCommandTest {
    @TempDir
    static Path folder;

    private static String data = "";
    private static String weights = "";

    /** Stripes: one class has them upright, the other lying. */
    private static Path picture(String name, String format, boolean upright, int number) throws IOException {
        BufferedImage image = new BufferedImage(60 + number, 50 + 2 * number, BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < image.getHeight(); y++) {
            for (int x = 0; x < image.getWidth(); x++) {
                image.setRGB(x, y, ((upright ? x : y) + number) / 6 % 2 == 0 ? 0xFFFFFF : 0x102030 * (number % 4));
            }
        }
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        assertTrue(ImageIO.write(image, format, file.toFile()));
        return file;
    }

    @BeforeAll
    static void train() throws IOException {
        for (int i = 0; i < 24; i++) {
            picture("data/train/upright/" + i + ".jpg", "jpg", true, i);
            picture("data/train/lying/" + i + ".png", "png", false, i);
        }
        for (int i = 30; i < 36; i++) {
            picture("data/val/upright/" + i + ".png", "png", true, i);
            picture("data/val/lying/" + i + ".jpg", "jpg", false, i);
        }
        data = "folder:" + folder.resolve("data");
        Cli run = train("run", "--threads", "1", "--json");
        weights = (String) run.lastEvent().get("weights");
        assertEquals(1.0, run.lastEvent().get("best_val_accuracy"), run.out());
    }

    private static Cli train(String out, String... more) {
        List<String> words = new java.util.ArrayList<>(List.of("train", "--model", "lenet5", "--data", data));
        words.addAll(List.of("--epochs", "8", "--batch", "8", "--augment", "resized-crop=0.5", "--optimizer", "adam"));
        words.addAll(List.of("--lr", "0.002", "--out", folder.resolve(out).toString()));
        words.addAll(List.of(more));
        return Cli.run(words.toArray(String[]::new));
    }

    @Test
    void the_same_bits_at_any_number_of_threads() throws IOException {
        assertEquals(0, train("again", "--threads", "3").code());
        assertArrayEquals(
                Files.readAllBytes(Path.of(weights)), Files.readAllBytes(folder.resolve("again/best.safetensors")));
    }

    @Test
    void eval_and_predict_bring_pictures_to_the_size_that_the_model_takes() throws IOException {
        Map<String, Object> event =
                Cli.run("eval", "--weights", weights, "--data", data, "--json").lastEvent();
        assertEquals(12L, event.get("examples"));
        assertEquals(1.0, event.get("accuracy"));
        Path a = picture("photos/a.jpg", "jpg", true, 22);
        Path b = picture("photos/b.png", "png", false, 23);
        List<Map<String, Object>> lines = Cli.run(
                        "predict", "--weights", weights, "--input", a.toString(), b.toString(), data, "--top", "1")
                .events();
        assertEquals(14, lines.size());
        assertEquals(a.toString(), lines.get(0).get("input"));
        assertEquals(0L, lines.get(1).get("index"));
        assertTrue(
                lines.get(0).get("top").toString().contains("upright"),
                lines.get(0).toString());
        assertTrue(
                lines.get(1).get("top").toString().contains("lying"),
                lines.get(1).toString());
        assertEquals(data, lines.get(13).get("input"));
        assertEquals(11L, lines.get(13).get("index"));
    }

    @Test
    void corrupt_pictures_are_named_or_left_out() throws IOException {
        Path good = picture("mixed/good.jpg", "jpg", true, 40);
        byte[] whole = Files.readAllBytes(good);
        Path cut = Files.write(folder.resolve("mixed/cut.jpg"), java.util.Arrays.copyOf(whole, whole.length / 2));
        Path text = Files.writeString(folder.resolve("mixed/text.png"), "no picture");
        String[] words = {"predict", "--weights", weights, "--input", cut.toString(), good.toString(), "--corrupt"};
        Cli.run(with(words, "fail")).assertFails(2, "cut.jpg cannot be used", "damaged");
        List<Map<String, Object>> lines = Cli.run(with(words, "skip")).events();
        assertEquals(1, lines.size());
        assertEquals(good.toString(), lines.getFirst().get("input"));
        Cli.run("predict", "--weights", weights, "--input", text.toString()).assertFails(2, "text.png", "neither JPEG");
    }

    private static String[] with(String[] words, String last) {
        String[] all = java.util.Arrays.copyOf(words, words.length + 1);
        all[words.length] = last;
        return all;
    }

    @Test
    void folders_that_are_not_the_classes_of_the_model() throws IOException {
        picture("other/cat/1.png", "png", true, 1);
        for (int i = 0; i < 20; i++) {
            picture("other/dog/" + i + ".png", "png", true, i);
        }
        Cli.run("eval", "--weights", weights, "--data", "folder:" + folder.resolve("other"))
                .assertFails(2, "class 0 of", "'cat'", "'lying'");
    }

    /** What the network says of photos by the arithmetic of others: Pillow's, and ONNX Runtime's for the logits. */
    @Test
    void photos_get_the_classes_that_are_published_for_them() throws IOException {
        Path file = Cli.requireData("models/mobilenet-v1-0.25-224/mobilenet_v1_0.25_224.safetensors");
        Map<String, Long> classes = Map.of(
                "pelican.jpeg", 144L, "burger.jpg", 933L, "parrot.jpg", 88L, "chelsea.png", 285L, "coffee.png", 967L);
        for (var entry : classes.entrySet()) {
            String photo = Cli.requireData("photos/" + entry.getKey()).toString();
            String names = Cli.requireData("photos/imagenet_synset.txt").toString();
            String top = Cli.run(
                            "predict",
                            "--weights",
                            file.toString(),
                            "--model",
                            "mobilenet_v1_x0_25",
                            "--mean",
                            "0.5,0.5,0.5",
                            "--std",
                            "0.5,0.5,0.5",
                            "--classes",
                            names,
                            "--top",
                            "1",
                            "--input",
                            photo)
                    .lastEvent()
                    .get("top")
                    .toString();
            assertTrue(top.startsWith("[{class=" + entry.getValue() + ","), entry + " " + top);
        }
    }

    @Test
    void weights_from_elsewhere_need_names() throws IOException {
        Path file = Cli.requireData("models/resnet20-cifar10/resnet20.safetensors");
        Path photo = Cli.requireData("photos/chelsea.png");
        String[] words = {
            "predict",
            "--weights",
            file.toString(),
            "--model",
            "resnet20",
            "--mean",
            "0.485,0.456,0.406",
            "--std",
            "0.229,0.224,0.225",
            "--input",
            photo.toString()
        };
        Cli.run(words).assertFails(2, "add --classes FILE");
        Path names = Files.writeString(
                folder.resolve("names.txt"), "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n");
        Map<String, Object> line =
                Cli.run(with(with(words, "--classes"), names.toString())).lastEvent();
        assertTrue(line.get("top").toString().startsWith("[{class=3, name=cat"), line.toString());
        Cli.run("predict", "--weights", weights, "--classes", names.toString(), "--input", photo.toString())
                .assertFails(2, "leave out --classes");
    }
}
