package dev.tarn.bench.peers;

import dev.tarn.io.SafeTensors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * A safetensors file as libtorch's tensors: images of weights channels last, everything but running statistics
 * learned.
 */
final class LibtorchWeights {
    private static final TensorOptional NONE = new TensorOptional();
    private static final int IMAGE_RANK = 4;

    private final Map<String, Tensor> tensors = new HashMap<>();
    private final Map<String, TensorOptional> optionals = new HashMap<>();
    private final TensorVector learned = new TensorVector();

    LibtorchWeights(Path file) throws IOException {
        SafeTensors source = SafeTensors.open(file);
        for (String name : source.names()) {
            var read = source.tensor(name);
            Tensor tensor = Tensor.create(read.toArray(), read.shape().toArray());
            if (read.shape().rank() == IMAGE_RANK) {
                tensor = tensor.contiguous(torch.MemoryFormat.ChannelsLast);
            }
            if (!name.contains("running_")) {
                tensor.requires_grad_(true);
                learned.push_back(tensor);
            }
            tensors.put(name, tensor);
            optionals.put(name, new TensorOptional(tensor));
        }
    }

    Tensor require(String name) {
        Tensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new IllegalStateException("the weights have no " + name);
        }
        return tensor;
    }

    /** The tensor as an argument that may be left out: none if there is no such tensor. */
    TensorOptional optional(String name) {
        return optionals.getOrDefault(name, NONE);
    }

    boolean has(String name) {
        return tensors.containsKey(name);
    }

    TensorVector learned() {
        return learned;
    }
}
