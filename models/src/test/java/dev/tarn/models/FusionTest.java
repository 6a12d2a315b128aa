package dev.tarn.models;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.tarn.graph.Gradients;
import dev.tarn.graph.Graph;
import dev.tarn.graph.Graph.Mode;
import dev.tarn.graph.Parameter;
import dev.tarn.graph.Value;
import dev.tarn.graph.program.Program;
import dev.tarn.graph.rewrite.Rewrite;
import dev.tarn.memory.MemoryPlanner;
import dev.tarn.nn.Layer;
import dev.tarn.nn.Style;
import dev.tarn.nn.loss.CrossEntropyLoss;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is left of the operations that only move memory once a network's kernels are chosen. */
class FusionTest {
    private static Graph graph(Mode mode) {
        return new Graph(mode, DType.F32, 1, Parameter::name);
    }

    private static Value images(Graph graph, ModelZoo.Entry entry) {
        Shape image = entry.image();
        return graph.input("images", DType.F32, Shape.of(2, image.size(0), image.size(1), image.size(2)));
    }

    /** Kernels that read a whole tensor to do little with it. */
    private static List<String> elementwise(Graph graph, Value last) {
        Rewrite.applyAll(graph, Set.of());
        return Program.plan(graph, last, 1, new MemoryPlanner()).kernelNames().stream()
                .map(name -> name.substring(name.lastIndexOf(' ') + 1))
                .filter(name -> name.matches("(add|activation|bias_forward|batchnorm_inference).*"))
                .toList();
    }

    @ParameterizedTest
    @CsvSource({
        "vgg11,",
        "resnet18,",
        "resnet50,",
        "mobilenet_v2,",
        "vgg16,",
        "alexnet,",
        "squeezenet1_1,",
        "mobilenet_v1,",
        "resnet34,",
        "vgg11, elu",
        "resnet50, tanh",
        "mobilenet_v2, selu"
    })
    void inference_has_no_elementwise_kernel(String name, @Nullable String activation) {
        ModelZoo.Entry entry = ModelZoo.find(name);
        Graph graph = graph(Mode.INFERENCE);
        Layer net = entry.factory().create(10, entry.image(), new Style(activation, null, 0.5));
        Value logits = net.forward(images(graph, entry));
        assertEquals(List.of(), elementwise(graph, logits));
    }

    @ParameterizedTest
    @ValueSource(strings = {"vgg11", "resnet18", "resnet50", "mobilenet_v1", "mobilenet_v2"})
    void training_leaves_activations_and_sums_to_batch_normalisation_and_convolutions(String name) {
        ModelZoo.Entry entry = ModelZoo.find(name);
        Graph graph = graph(Mode.TRAINING);
        Value logits = entry.factory().create(10, entry.image()).forward(images(graph, entry));
        var loss = new CrossEntropyLoss();
        Value last = loss.forward(logits, loss.target(graph, logits.shape()));
        Gradients.differentiate(graph, last);
        assertEquals(List.of(), elementwise(graph, last));
    }
}
