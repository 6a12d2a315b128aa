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
import java.util.List;
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
        List<Value> activations = new ArrayList<>();
        List<Value> inputs = new ArrayList<>(List.of(gradients.ofOutput(node)));
        inputs.addAll(node.inputs());
        List<Integer> places = new ArrayList<>();
        for (Value input : node.inputs()) {
            Value ofParameter = gradients.ofParameter(input);
            if (ofParameter != null) {
                places.add(inputs.size());
                inputs.add(ofParameter);
            } else if (gradients.isWanted(input)) {
                places.add(-1 - activations.size());
                activations.add(input);
            } else {
                places.add(0);
            }
        }
        Node backward =
                gradients.apply(new Backward(function, activations, places), node, inputs.toArray(Value[]::new));
        for (int i = 0; i < activations.size(); i++) {
            gradients.add(activations.get(i), backward.output(i));
        }
    }

    /**
     * Inputs: grad_y, the function's inputs, then the gradients of those that are parameters. Outputs: the gradients of those that
     * are activations and wanted.
     *
     * @param activations whose gradients are the outputs
     * @param places where the gradient of each of the function's inputs is: i > 0 for input i, -1 - i for output i, 0 for nowhere
     */
    record Backward(TensorFunction function, List<Value> activations, List<Integer> places) implements JavaOp {
        @Override
        public String name() {
            return function.name() + "_backward";
        }

        @Override
        public List<Spec> infer(List<Value> inputs, String path) {
            List<Spec> outputs = new ArrayList<>();
            for (int i = 0; i < activations.size(); i++) {
                Spec like = Spec.like(activations.get(i));
                outputs.add(new Spec(i == 0 ? "" : "." + i, like.kind(), like.dtype(), like.shape(), like.layout()));
            }
            return outputs;
        }

        @Override
        public Runnable on(List<Tensor> inputs, List<Tensor> outputs) {
            List<@Nullable Tensor> gradInputs = new ArrayList<>();
            for (int place : places) {
                gradInputs.add(place > 0 ? inputs.get(place) : place < 0 ? outputs.get(-1 - place) : null);
            }
            List<Tensor> functionInputs = inputs.subList(1, 1 + places.size());
            return () -> {
                outputs.forEach(output -> output.data().fill((byte) 0));
                function.backward(functionInputs, inputs.get(0), gradInputs);
            };
        }
    }
}
