package dev.tarn.graph.op;

import dev.tarn.graph.Gradients;
import dev.tarn.graph.Graph;
import dev.tarn.graph.Node;
import dev.tarn.graph.Op;
import dev.tarn.graph.Spec;
import dev.tarn.graph.Value;
import dev.tarn.kernel.KernelCall;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.ShapeException;
import java.util.List;

/**
 * Group normalisation (Wu and He, 2018): each example by itself, over the pixels and the channels of each group.
 *
 * <pre>y = act((x - mean) / sqrt(var + eps) * weight + bias)</pre>
 *
 * Mean and (biased) variance are the example's in training and in inference. Inputs: x (N, C, H, W) or (N, C); weight, bias
 * (C). Outputs: y; in training then mean, 1 / sqrt(var + eps).
 *
 * @param groups divides the channels
 */
public record GroupNormOp(long groups, double eps, Activation activation) implements Op {
    @Override
    public String name() {
        return "groupnorm" + activation.suffix();
    }

    /** The same normalisation, applying an activation to its result. */
    public GroupNormOp with(Activation other) {
        return new GroupNormOp(groups, eps, other);
    }

    @Override
    public List<Spec> infer(List<Value> inputs, String path) {
        Value x = inputs.get(0);
        Sizes.requireImagesOrRows(x.shape(), path);
        long channels = inputs.get(1).shape().size(0);
        if (Sizes.channels(x.shape()) != channels) {
            throw new ShapeException(
                    path,
                    channels + " channels",
                    x.shape().toString(),
                    "the layer was made for another number of channels");
        }
        Spec y = Spec.like(x);
        if (x.graph().mode() == Graph.Mode.INFERENCE) {
            return List.of(y);
        }
        Shape statistics = Shape.of(x.shape().size(0), groups);
        return List.of(
                y, Spec.workspace("mean", x.dtype(), statistics), Spec.workspace("inv_std", x.dtype(), statistics));
    }

    @Override
    public List<KernelCall<Value>> calls(Node node) {
        KernelCall<Value> call = sized("groupnorm_forward", node.output())
                .set("input", node.input(0))
                .set("weight", node.input(1))
                .set("bias", node.input(2))
                .set("output", node.output());
        if (node.outputs().size() > 1) {
            call.set("mean", node.output(1)).set("inv_std", node.output(2));
        }
        return List.of(activation.addTo(call));
    }

    private KernelCall<Value> sized(String op, Value images) {
        return KernelCall.<Value>of(op, images.dtype())
                .set("hw", Sizes.pixels(images.shape()))
                .set("c", Sizes.channels(images.shape()))
                .set("groups", groups)
                .set("eps", eps);
    }

    @Override
    public void backward(Node node, Gradients gradients) {
        ScaleAndShift.backward(new Backward(this), node, gradients);
    }

    /**
     * With z = (x - mean) * inv_std: grad_x = inv_std * (weight * grad_y - mean(weight * grad_y) - z * mean(weight * grad_y * z)), means
     * over a group; grad_weight += sum grad_y * z, grad_bias += sum grad_y. Inputs: grad_y, x, weight, mean, inv_std, grad_weight,
     * grad_bias. Output: grad_x.
     */
    record Backward(GroupNormOp forward) implements Op {
        @Override
        public String name() {
            return "groupnorm_backward";
        }

        @Override
        public List<Spec> infer(List<Value> inputs, String path) {
            return List.of(Spec.like(inputs.get(0)));
        }

        @Override
        public List<KernelCall<Value>> calls(Node node) {
            return List.of(forward.sized(name(), node.output())
                    .set("grad_output", node.input(0))
                    .set("input", node.input(1))
                    .set("weight", node.input(2))
                    .set("mean", node.input(3))
                    .set("inv_std", node.input(4))
                    .set("grad_weight", node.input(5))
                    .set("grad_bias", node.input(6))
                    .set("grad_input", node.output()));
        }

        @Override
        public int inPlaceInput() {
            return 0;
        }
    }
}
