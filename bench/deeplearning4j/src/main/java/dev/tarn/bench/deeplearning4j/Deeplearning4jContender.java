package dev.tarn.bench.deeplearning4j;

import dev.tarn.bench.Contender;
import dev.tarn.bench.Job;
import dev.tarn.bench.Weights;
import dev.tarn.bench.Worker;
import dev.tarn.bench.Workload;
import java.io.IOException;
import java.util.Map;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Deeplearning4j trains LeNet-5, always with Nesterov's momentum: it has no other. */
public final class Deeplearning4jContender implements Contender {
    private Deeplearning4jContender() {}

    public static void main(String[] arguments) throws IOException {
        Worker.main(new Deeplearning4jContender(), arguments);
    }

    @Override
    public Map<String, String> environment() {
        return Map.of(
                "nd4j",
                String.valueOf(Nd4j.getExecutioner().getEnvironmentInformation().get("backend")));
    }

    @Override
    public Work open(Job job) throws IOException {
        return new Training(Workload.of(job), Weights.read(job.weights()));
    }

    private static final class Training implements Work {
        private final MultiLayerNetwork network;
        private final INDArray images;
        private final INDArray labels;

        Training(Workload workload, Weights weights) {
            var layers = new NeuralNetConfiguration.Builder()
                    .updater(new Nesterovs(Workload.LEARNING_RATE, Workload.MOMENTUM))
                    .activation(Activation.RELU)
                    .list()
                    .layer(new ConvolutionLayer.Builder(5, 5)
                            .padding(2, 2)
                            .nOut(6)
                            .build())
                    .layer(new SubsamplingLayer.Builder()
                            .kernelSize(2, 2)
                            .stride(2, 2)
                            .build())
                    .layer(new ConvolutionLayer.Builder(5, 5).nOut(16).build())
                    .layer(new SubsamplingLayer.Builder()
                            .kernelSize(2, 2)
                            .stride(2, 2)
                            .build())
                    .layer(new DenseLayer.Builder().nOut(120).build())
                    .layer(new DenseLayer.Builder().nOut(84).build())
                    .layer(new OutputLayer.Builder(LossFunction.MCXENT)
                            .nOut(workload.classes())
                            .activation(Activation.SOFTMAX)
                            .build())
                    .setInputType(InputType.convolutional(workload.side(), workload.side(), 1));
            network = new MultiLayerNetwork(layers.build());
            network.init();
            convolution(weights, "conv1", 0);
            convolution(weights, "conv2", 2);
            linear(weights, "fc1", 4);
            linear(weights, "fc2", 5);
            linear(weights, "fc3", 6);
            images = array(workload.images(), workload.input().toArray());
            labels = Nd4j.zeros(workload.batch(), workload.classes());
            int[] classes = workload.labels();
            for (int n = 0; n < classes.length; n++) {
                labels.putScalar(n, classes[n], 1);
            }
        }

        private static INDArray array(float[] values, long... shape) {
            return Nd4j.createFromArray(values).reshape('c', shape);
        }

        private void convolution(Weights weights, String name, int layer) {
            Weights.Array weight = weights.array(name + ".weight");
            network.setParam(layer + "_W", array(weight.values(), weight.shape()));
            bias(weights, name, layer);
        }

        /** Linear weights are (in, out) there. */
        private void linear(Weights weights, String name, int layer) {
            Weights.Array weight = weights.array(name + ".weight");
            network.setParam(
                    layer + "_W", array(weight.values(), weight.shape()).transpose());
            bias(weights, name, layer);
        }

        private void bias(Weights weights, String name, int layer) {
            float[] values = weights.array(name + ".bias").values();
            network.setParam(layer + "_b", array(values, 1, values.length));
        }

        @Override
        public void run() {
            network.fit(images, labels);
        }

        @Override
        public float[] outputs() {
            float[] losses = new float[Workload.COMPARED_STEPS];
            for (int i = 0; i < losses.length; i++) {
                run();
                losses[i] = (float) network.score();
            }
            return losses;
        }

        @Override
        public void close() {
            network.close();
        }
    }
}
