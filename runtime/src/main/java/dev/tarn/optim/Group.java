package dev.tarn.optim;

import dev.tarn.kernel.KernelCall;
import dev.tarn.tensor.DType;
import java.util.Arrays;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Parameters that are updated alike: a factor of the learning rate, and what holds weights back.
 *
 * <pre>
 * loss += l2 / 2 * sum w^2 + l1 * sum |w|        so that the gradient of w grows by l2 * w + l1 * sign(w), sign(0) = 0
 * w = w - rate * decoupledDecay * w              besides the step, whatever the optimizer does with gradients
 * w_o = w_o * min(1, maxNorm / |w_o|)            after the step, for the weights w_o of each output (neuron or filter)
 * </pre>
 *
 * All but the rate apply to weights only: not to biases, scale and shift of normalisation or slopes of activations,
 * unless the group is {@link #includingBiases()}; maxNorm in no case. Immutable; each setter returns another group.
 *
 * @param pattern paths of parameters: a name such as {@code layer1} stands for all that is under it, and {@code *}
 *     within it for any characters
 * @param rateFactor by which the learning rate is multiplied
 */
public record Group(
        String pattern,
        double rateFactor,
        double l2,
        double l1,
        double decoupledDecay,
        double maxNorm,
        Members members) {
    /** To which parameters penalties and decay apply. */
    public enum Members {
        WEIGHTS,
        WEIGHTS_AND_BIASES
    }

    public Group {
        Checks.notNegative("a factor of the rate", rateFactor);
        Checks.notNegative("the strength of L2", l2);
        Checks.notNegative("the strength of L1", l1);
        Checks.notNegative("the strength of decay", decoupledDecay);
        Checks.positive("a largest norm", maxNorm);
    }

    /** All parameters, without anything that holds them back. */
    public static Group all() {
        return of("*");
    }

    /** The parameters under a name, or whose path a pattern matches. */
    public static Group of(String pattern) {
        return new Group(pattern, 1, 0, 0, 0, Double.POSITIVE_INFINITY, Members.WEIGHTS);
    }

    /** Multiplies the learning rate; 0 keeps the group as it is. */
    public Group rateFactor(double factor) {
        return new Group(pattern, factor, l2, l1, decoupledDecay, maxNorm, members);
    }

    /** Adds l2 / 2 * w^2 to the loss, also known as weight decay through the gradient. */
    public Group l2(double strength) {
        return new Group(pattern, rateFactor, strength, l1, decoupledDecay, maxNorm, members);
    }

    /** Adds l1 * |w| to the loss, which makes weights sparse. */
    public Group l1(double strength) {
        return new Group(pattern, rateFactor, l2, strength, decoupledDecay, maxNorm, members);
    }

    /** Adds l1 * |w| + squares * w^2 to the loss (Zou and Hastie, 2005): no one half, so {@link #l2} is twice that. */
    public Group elasticNet(double l1Strength, double squares) {
        return l1(l1Strength).l2(2 * squares);
    }

    /** Shrinks weights beside the step, as AdamW does (Loshchilov and Hutter, 2019). */
    public Group decoupledDecay(double strength) {
        return new Group(pattern, rateFactor, l2, l1, strength, maxNorm, members);
    }

    /**
     * Scales down the incoming weights of an output whose norm is larger; 3 or 4 are usual (Srivastava et al., 2014).
     */
    public Group maxNorm(double largest) {
        return new Group(pattern, rateFactor, l2, l1, decoupledDecay, largest, members);
    }

    /** Penalties and decay apply to all parameters of the group. */
    public Group includingBiases() {
        return new Group(pattern, rateFactor, l2, l1, decoupledDecay, maxNorm, Members.WEIGHTS_AND_BIASES);
    }

    /** Whether the group has the parameter of that path. */
    public boolean contains(String path) {
        String regex =
                Arrays.stream(pattern.split("\\*", -1)).map(Pattern::quote).collect(Collectors.joining(".*"));
        return path.matches("(%s)(\\..*)?".formatted(regex));
    }

    /** What holds for the biases of this group. */
    public Group ofBiases() {
        return members == Members.WEIGHTS ? of(pattern).rateFactor(rateFactor) : maxNorm(Double.POSITIVE_INFINITY);
    }

    /** The fields that the updates of all optimizers have. */
    KernelCall<String> call(String op, DType dtype, long elementCount) {
        return KernelCall.<String>of(op, dtype)
                .once()
                .set("count", elementCount)
                .set("rate_factor", rateFactor)
                .set("l1", l1)
                .set("l2", l2)
                .set("decay", decoupledDecay)
                .set("rate", Optimizer.RATE)
                .set("param", Optimizer.PARAMETERS)
                .set("grad", Optimizer.GRADIENTS);
    }
}
