package dev.tarn.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.io.Json;
import dev.tarn.models.ModelZoo;
import dev.tarn.optim.AdaGrad;
import dev.tarn.optim.Adam;
import dev.tarn.optim.Clipping;
import dev.tarn.optim.Group;
import dev.tarn.optim.Optimizer;
import dev.tarn.optim.RMSProp;
import dev.tarn.optim.SGD;
import dev.tarn.optim.Schedule;
import dev.tarn.session.Recipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;

/** What the options of {@code tarn train} make of a model's own recipe. */
class RecipeOptionsTest {
    private static final Recipe OWN = ModelZoo.find("mobilenet_v2").recipe();
    private static final Group DECAY = Group.all().l2(4e-5);
    private static final SGD MOMENTUM = new SGD().momentum(0.9).with(DECAY);

    private static final class Options {
        @Mixin
        private RecipeOptions recipe = new RecipeOptions();

        @Mixin
        private RegularizationOptions regularization = new RegularizationOptions();
    }

    private static Recipe parse(String... args) {
        Options options = new Options();
        new CommandLine(options).setCaseInsensitiveEnumValuesAllowed(true).parseArgs(args);
        return options.recipe.over(OWN, options.regularization);
    }

    private static Optimizer optimizer(String args) {
        return parse(args.split(" ")).optimizer();
    }

    @Test
    void without_options_it_is_the_models_own() {
        assertEquals(OWN, parse());
    }

    @Test
    void a_loss_has_a_name_and_details() {
        assertEquals("cross-entropy", parse("--loss", "cross-entropy").loss().toString());
        assertEquals("hinge", parse("--loss", "hinge").loss().toString());
        assertEquals(
                "cross-entropy, smoothing 0.1, weights [1.0, 2.5]",
                parse("--label-smoothing", "0.1", "--class-weights", "1,2.5")
                        .loss()
                        .toString());
        assertThrows(UsageException.class, () -> parse("--loss", "hinge", "--class-weights", "1,2"));
        assertThrows(IllegalArgumentException.class, () -> parse("--class-weights", "1,-2"));
    }

    @Test
    void each_name_is_an_optimizer_with_its_details() {
        assertEquals(new SGD().with(DECAY), optimizer("--optimizer sgd"));
        assertEquals(MOMENTUM, optimizer("--optimizer momentum"));
        assertEquals(MOMENTUM.nesterov(), optimizer("--optimizer nesterov"));
        assertEquals(new AdaGrad().epsilon(1e-6).with(DECAY), optimizer("--optimizer adagrad --epsilon 1e-6"));
        assertEquals(new RMSProp().rho(0.95).with(DECAY), optimizer("--optimizer rmsprop --rho 0.95"));
        assertEquals(new RMSProp().nesterov(0.5).with(DECAY), optimizer("--optimizer rmsprop-nesterov --momentum 0.5"));
        assertEquals(
                new Adam().betas(0.8, 0.99).epsilon(1e-7).with(DECAY),
                optimizer("--optimizer adam --beta1 0.8 --beta2 0.99 --epsilon 1e-7"));
        assertEquals(Adam.adamW(), optimizer("--optimizer adamw"));
    }

    @Test
    void the_options_of_sgd_change_the_models_own_recipe() {
        assertEquals(MOMENTUM.momentum(0.5).nesterov(), optimizer("--momentum 0.5"));
        assertEquals(MOMENTUM, optimizer("--no-nesterov"));
        assertEquals(MOMENTUM.nesterov(), optimizer("--nesterov"));
        assertEquals(new SGD().with(DECAY), optimizer("--momentum 0"));
        assertEquals(MOMENTUM.rateInside().nesterov(), optimizer("--velocity inside"));
        assertEquals(MOMENTUM.nesterov(), optimizer("--optimizer sgd --momentum 0.9 --nesterov"));
    }

    @Test
    void o11_the_rate_of_an_adaptive_optimizer_is_its_own() {
        assertEquals(OWN.rate(), parse("--optimizer", "momentum").rate());
        assertEquals(1e-3, parse("--optimizer", "adam").rate());
        assertEquals(0.01, parse("--optimizer", "adagrad").rate());
        assertEquals(0.7, parse("--optimizer", "adam", "--lr", "0.7").rate());
    }

    @Test
    void what_holds_weights_back_goes_into_one_group() {
        assertEquals(
                MOMENTUM.nesterov()
                        .with(Group.all().l2(0.1).l1(0.2).decoupledDecay(0.3).maxNorm(4)),
                optimizer("--l2 0.1 --l1 0.2 --decoupled-decay 0.3 --max-norm 4"));
        assertEquals(
                Group.all().l2(0.1), optimizer("--weight-decay 0.1").groups().getFirst());
        assertEquals(
                Adam.adamW().with(Group.all().decoupledDecay(0.5).l2(1e-3)),
                optimizer("--optimizer adamw --decoupled-decay 0.5 --l2 1e-3"));
        assertEquals(Clipping.norm(5), optimizer("--clip-norm 5").clipping());
        assertEquals(Clipping.value(0.5), optimizer("--clip-value 0.5").clipping());
    }

    @Test
    void a_schedule_is_text() {
        assertEquals(
                Schedule.parse("cosine,warmup=5"),
                parse("--schedule", "Cosine,warmup=5").schedule());
    }

    @ParameterizedTest
    @CsvSource({
        "--optimizer sgd --beta1 0.9, --beta1, adam",
        "--beta2 0.9, --beta2, nesterov",
        "--optimizer adam --momentum 0.9, --momentum, adam",
        "--optimizer adagrad --nesterov, --nesterov, adagrad",
        "--optimizer rmsprop --velocity inside, --velocity, rmsprop",
        "--optimizer momentum --epsilon 1e-8, --epsilon, adagrad",
        "--optimizer adamw --rho 0.9, --rho, rmsprop-nesterov",
        "--optimizer sgd --nesterov, --nesterov, --momentum",
        "--clip-norm 1 --clip-value 1, --clip-norm, --clip-value",
        "--lr 0.1 --lr 0.2, --lr, probe",
        "--optimizer adam --optimizer sgd, --optimizer, probe"
    })
    void what_does_not_go_together_is_refused(String args, String first, String second) {
        var e = assertThrows(UsageException.class, () -> parse(args.split(" ")));
        String message = String.valueOf(e.getMessage());
        assertTrue(message.contains(first) && message.contains(second), message);
    }

    @Test
    void a_run_keeps_all_of_it_and_refuses_nonsense(@TempDir Path folder) throws IOException {
        String[] train = {"train", "--model", "lenet5", "--data", "digits:200", "--epochs", "1", "--out"};
        String out = folder.resolve("run").toString();
        Cli run = Cli.run(append(
                train,
                out,
                "--optimizer",
                "adamw",
                "--max-norm",
                "3",
                "--clip-norm",
                "5",
                "--schedule",
                "step=1:0.5",
                "--micro-batch",
                "32"));
        assertEquals(0, run.code(), run.err());
        Map<String, Object> json = Json.read(Files.readString(folder.resolve("run/run.json")));
        Map<?, ?> settings = (Map<?, ?>) json.get("settings");
        String text = String.valueOf(settings == null ? null : settings.get("recipe"));
        for (String part : new String[] {
            "Adam",
            "decoupledDecay=0.01",
            "maxNorm=3.0",
            "NORM, limit=5.0",
            "schedule=step=1:0.5",
            "lr=0.001",
            "micro_batch=32"
        }) {
            assertTrue(text.contains(part), text);
        }
        Cli.run(append(train, out + "2", "--optimizer", "adam", "--rho", "0.5")).assertFails(2, "--rho", "rmsprop");
        Cli.run(append(train, out + "2", "--micro-batch", "0")).assertFails(2, "a part of it");
        Cli.run(append(train, out + "2", "--schedule", "cosine=2")).assertFails(2, "cosine=2");
        Cli.run(append(train, out + "2", "--max-norm", "-1")).assertFails(2, "norm is positive");
    }

    private static String[] append(String[] args, String... more) {
        String[] all = java.util.Arrays.copyOf(args, args.length + more.length);
        System.arraycopy(more, 0, all, args.length, more.length);
        return all;
    }
}
