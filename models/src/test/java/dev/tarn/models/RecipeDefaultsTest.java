package dev.tarn.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.graph.Graph;
import dev.tarn.graph.Parameter;
import dev.tarn.graph.op.DropoutOp;
import dev.tarn.nn.Dropout;
import dev.tarn.nn.Layer;
import dev.tarn.optim.Group;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Row G18 of the methods: one global L2 that validation can tune, and dropout of one half. */
class RecipeDefaultsTest {
    @Test
    void g18_every_recipe_has_one_global_l2_on_weights_alone() {
        for (String name : ModelZoo.names()) {
            List<Group> groups = ModelZoo.find(name).recipe().optimizer().groups();
            assertEquals(1, groups.size(), name);
            Group group = groups.getFirst();
            assertTrue(group.l2() > 0, name);
            assertEquals(Group.all().l2(group.l2()), group, "nothing else holds " + name + " back");
            assertEquals(Group.all(), group.ofBiases(), "biases and normalisation of " + name);
        }
    }

    @Test
    void g18_dropout_is_one_half_unless_the_paper_says_otherwise() {
        assertEquals(List.of(0.5), keeps(new Dropout(), Shape.of(1, 4)));
        for (String name : ModelZoo.names()) {
            ModelZoo.Entry entry = ModelZoo.find(name);
            Shape image = entry.image();
            Layer layer = entry.factory().create(10, image);
            for (double keep : keeps(layer, Shape.of(1, image.size(0), image.size(1), image.size(2)))) {
                // MobileNets' files were trained with 0.001 and 0.2 dropped, and their recipe follows them.
                double expected = name.startsWith("mobilenet_v1") ? 0.999 : name.equals("mobilenet_v2") ? 0.8 : 0.5;
                assertEquals(expected, keep, name);
            }
        }
    }

    /** The probabilities of keeping, in the order of a network's dropouts. */
    private static List<Double> keeps(Layer layer, Shape input) {
        var graph = new Graph(Graph.Mode.TRAINING, DType.F32, 1, Parameter::name);
        layer.forward(graph.input("images", DType.F32, input));
        return graph.nodes().stream()
                .filter(node -> node.op() instanceof DropoutOp)
                .map(node -> ((DropoutOp) node.op()).keep())
                .toList();
    }
}
