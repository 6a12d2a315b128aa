package dev.tarn.graph.op;

import dev.tarn.graph.Gradients;
import dev.tarn.graph.JavaOp;
import dev.tarn.graph.Node;
import dev.tarn.graph.Spec;
import dev.tarn.graph.TensorFunction;
import dev.tarn.graph.Value;
import dev.tarn.tensor.ShapeException;
import dev.tarn.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** A user's function as an operation. Inputs: those of the function. */
public record FunctionOp(TensorFunction function) implements JavaOp {
    @Override
    public String name() {
        return function.name();
    }

    @Override
    public List<Spec> infer(List<Value> inputs, String path) {
        try {
            return List.of(Spec.activation(
                    inputs.get(0).dtype(),
                    function.outputShape(inputs.stream().map(Value::shape).toList())));
        } catch (ShapeException e) {
            throw e;
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(path + ": " + e.getMessage(), e);
        }
    }

    @Override
    public Runnable on(List<Tensor> inputs, List<Tensor> outputs) {
        return () -> function.forward(inputs, outputs.get(0));
    }

    @Override
    public void backward(Node node, Gradients gradients) {
        List<Integer> wanted = IntStream.range(0, node.inputs().size())
                .filter(i -> gradients.isWanted(node.input(i)))
                .boxed()
                .toList();
        List<Value> inputs = new ArrayList<>(List.of(gradients.ofOutput(node)));
        inputs.addAll(node.inputs());
        Node backward = gradients.apply(new Backward(function, wanted), node, inputs.toArray(Value[]::new));
        for (int i = 0; i < wanted.size(); i++) {
            gradients.add(node.input(wanted.get(i)), backward.output(i));
        }
    }

    /**
     * Inputs: grad_y, then the function's inputs. Outputs: the gradients of those that are wanted.
     *
     * @param wanted which of the function's inputs, in ascending order
     */
    record Backward(TensorFunction function, List<Integer> wanted) implements JavaOp {
        @Override
        public String name() {
            return function.name() + "_backward";
        }

        @Override
        public List<Spec> infer(List<Value> inputs, String path) {
            List<Spec> outputs = new ArrayList<>();
            for (int input : wanted) {
                Spec like = Spec.like(inputs.get(1 + input));
                outputs.add(new Spec("." + input, like.kind(), like.dtype(), like.shape(), like.layout()));
            }
            return outputs;
        }

        @Override
        public Runnable on(List<Tensor> inputs, List<Tensor> outputs) {
            List<Tensor> functionInputs = inputs.subList(1, inputs.size());
            List<@Nullable Tensor> gradInputs = new ArrayList<>(Collections.nCopies(functionInputs.size(), null));
            for (int i = 0; i < outputs.size(); i++) {
                gradInputs.set(wanted.get(i), outputs.get(i));
            }
            return () -> {
                outputs.forEach(output -> output.data().fill((byte) 0));
                function.backward(functionInputs, inputs.get(0), gradInputs);
            };
        }
    }
}
