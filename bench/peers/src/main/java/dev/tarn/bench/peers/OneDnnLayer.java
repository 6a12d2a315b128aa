package dev.tarn.bench.peers;

import dev.tarn.bench.Contender.Work;
import dev.tarn.bench.Direction;
import dev.tarn.bench.Job;
import dev.tarn.bench.LayerData;
import dev.tarn.bench.LayerShape;
import dev.tarn.tensor.Shape;
import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.batch_normalization_backward;
import org.bytedeco.dnnl.batch_normalization_forward;
import org.bytedeco.dnnl.convolution_backward_data;
import org.bytedeco.dnnl.convolution_backward_weights;
import org.bytedeco.dnnl.convolution_forward;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.pooling_backward;
import org.bytedeco.dnnl.pooling_forward;
import org.bytedeco.dnnl.primitive;
import org.bytedeco.dnnl.reorder;
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.FloatPointer;

/** One direction of a layer as a oneDNN primitive, whose operands lie in the layouts that it asks for. */
final class OneDnnLayer implements Work {
    private static final float EPS = (float) LayerData.EPS;
    private static final int TRAINING = dnnl.prop_kind.forward_training.value;
    private static final int MAXIMUM = dnnl.algorithm.pooling_max.value;

    private final engine cpu = new engine(engine.kind.cpu, 0);
    private final stream queue = new stream(cpu);
    private final LayerShape shape;
    private final Direction direction;
    private final LayerData data;
    private IntMemoryMap arguments = new IntMemoryMap();
    private final primitive run;
    private final memory result;
    private final Shape resultShape;
    private final String form;

    OneDnnLayer(Job job) {
        shape = LayerShape.find(LayerShape.LAYERS, job.subject());
        direction = Direction.valueOf(job.task().name());
        data = new LayerData(shape);
        Built built = switch (shape.op()) {
            case CONV -> convolution();
            case MAXPOOL -> pooling();
            case BATCHNORM -> normalisation();
        };
        run = built.run;
        result = built.result;
        resultShape = built.shape;
        form = built.form;
        run();
    }

    private record Built(primitive run, memory result, Shape shape, String form) {}

    private Built convolution() {
        long[] strides = {shape.stride(), shape.stride()};
        long[] padding = {shape.padding(), shape.padding()};
        memory.desc src = any(shape.input());
        memory.desc weights = any(weightShape());
        memory.desc dst = any(shape.output());
        int direct = dnnl.algorithm.convolution_direct.value;
        var forward = new convolution_forward.primitive_desc(
                cpu, TRAINING, direct, src, weights, dst, strides, padding, padding);
        return switch (direction) {
            case FORWARD -> {
                give(dnnl.DNNL_ARG_SRC, data.input(), shape.input(), forward.src_desc());
                give(dnnl.DNNL_ARG_WEIGHTS, data.weight(), weightShape(), forward.weights_desc());
                yield built(
                        new convolution_forward(forward),
                        dnnl.DNNL_ARG_DST,
                        forward.dst_desc(),
                        shape.output(),
                        name(forward));
            }
            case BACKWARD_DATA -> {
                var backward = new convolution_backward_data.primitive_desc(
                        cpu, direct, src, weights, dst, strides, padding, padding, forward);
                give(dnnl.DNNL_ARG_DIFF_DST, data.gradOutput(), shape.output(), backward.diff_dst_desc());
                give(dnnl.DNNL_ARG_WEIGHTS, data.weight(), weightShape(), backward.weights_desc());
                yield built(
                        new convolution_backward_data(backward),
                        dnnl.DNNL_ARG_DIFF_SRC,
                        backward.diff_src_desc(),
                        shape.input(),
                        name(backward));
            }
            case BACKWARD_WEIGHT -> {
                var backward = new convolution_backward_weights.primitive_desc(
                        cpu, direct, src, weights, dst, strides, padding, padding, forward);
                give(dnnl.DNNL_ARG_SRC, data.input(), shape.input(), backward.src_desc());
                give(dnnl.DNNL_ARG_DIFF_DST, data.gradOutput(), shape.output(), backward.diff_dst_desc());
                yield built(
                        new convolution_backward_weights(backward),
                        dnnl.DNNL_ARG_DIFF_WEIGHTS,
                        backward.diff_weights_desc(),
                        weightShape(),
                        name(backward));
            }
        };
    }

    /** (O, I, K, K), with groups (G, O/G, I/G, K, K). */
    private Shape weightShape() {
        Shape weight = shape.weight();
        return shape.groups() == 1
                ? weight
                : Shape.of(
                        shape.groups(),
                        shape.oc() / shape.groups(),
                        weight.size(1),
                        weight.size(2),
                        weight.size(3));
    }

    /** Channels last: pooling and normalisation leave the layout to their input, and this one vectorises. */
    private Built pooling() {
        long[] kernel = {shape.kernel(), shape.kernel()};
        long[] strides = {shape.stride(), shape.stride()};
        long[] none = {0, 0};
        memory.desc src = described(shape.input(), memory.format_tag.nhwc);
        memory.desc dst = described(shape.output(), memory.format_tag.nhwc);
        var forward = new pooling_forward.primitive_desc(
                cpu, TRAINING, MAXIMUM, src, dst, strides, kernel, none, none, none);
        memory workspace = new memory(forward.workspace_desc(), cpu);
        give(dnnl.DNNL_ARG_SRC, data.input(), shape.input(), src);
        arguments.put(dnnl.DNNL_ARG_WORKSPACE, workspace);
        Built built = built(
                new pooling_forward(forward), dnnl.DNNL_ARG_DST, dst, shape.output(), name(forward));
        if (direction == Direction.FORWARD) {
            return built;
        }
        built.run.execute(queue, arguments);
        var backward = new pooling_backward.primitive_desc(
                cpu, MAXIMUM, src, dst, strides, kernel, none, none, none, forward);
        give(dnnl.DNNL_ARG_DIFF_DST, data.gradOutput(), shape.output(), dst);
        return built(
                new pooling_backward(backward), dnnl.DNNL_ARG_DIFF_SRC, src, shape.input(), name(backward));
    }

    private Built normalisation() {
        memory.desc images = described(shape.input(), memory.format_tag.nhwc);
        int flags = dnnl.normalization_flags.use_scale.value | dnnl.normalization_flags.use_shift.value;
        var forward = new batch_normalization_forward.primitive_desc(
                cpu, TRAINING, images, images, EPS, flags);
        give(dnnl.DNNL_ARG_SRC, data.input(), shape.input(), images);
        give(dnnl.DNNL_ARG_SCALE, data.weight(), shape.weight(), forward.weights_desc());
        arguments.put(dnnl.DNNL_ARG_SHIFT, new memory(forward.weights_desc(), cpu));
        arguments.put(dnnl.DNNL_ARG_MEAN, new memory(forward.mean_desc(), cpu));
        arguments.put(dnnl.DNNL_ARG_VARIANCE, new memory(forward.variance_desc(), cpu));
        new FloatPointer(arguments.get(dnnl.DNNL_ARG_SHIFT).get_data_handle()).put(new float[(int) shape.oc()]);
        Built built = built(
                new batch_normalization_forward(forward),
                dnnl.DNNL_ARG_DST,
                images,
                shape.output(),
                name(forward));
        if (direction == Direction.FORWARD) {
            return built;
        }
        built.run.execute(queue, arguments);
        var backward = new batch_normalization_backward.primitive_desc(
                cpu, dnnl.prop_kind.backward.value, images, images, images, EPS, flags, forward);
        // Backward refuses arguments that it has no use for.
        IntMemoryMap before = arguments;
        arguments = new IntMemoryMap();
        for (int argument : new int[] {
            dnnl.DNNL_ARG_SRC, dnnl.DNNL_ARG_SCALE, dnnl.DNNL_ARG_MEAN, dnnl.DNNL_ARG_VARIANCE
        }) {
            arguments.put(argument, before.get(argument));
        }
        give(dnnl.DNNL_ARG_DIFF_DST, data.gradOutput(), shape.output(), images);
        arguments.put(dnnl.DNNL_ARG_DIFF_SCALE, new memory(forward.weights_desc(), cpu));
        arguments.put(dnnl.DNNL_ARG_DIFF_SHIFT, new memory(forward.weights_desc(), cpu));
        return built(
                new batch_normalization_backward(backward),
                dnnl.DNNL_ARG_DIFF_SRC,
                images,
                shape.input(),
                name(backward));
    }

    private Built built(primitive primitive, int argument, memory.desc desc, Shape logical, String name) {
        memory target = new memory(desc, cpu);
        arguments.put(argument, target);
        return new Built(primitive, target, logical, name);
    }

    private static String name(org.bytedeco.dnnl.primitive_desc_base desc) {
        return desc.impl_info_str().getString();
    }

    private static memory.desc any(Shape logical) {
        return described(logical, memory.format_tag.any);
    }

    private static memory.desc described(Shape logical, memory.format_tag tag) {
        return new memory.desc(logical.toArray(), memory.data_type.f32, tag);
    }

    /** Row-major in as many dimensions. */
    private memory plain(Shape logical) {
        memory.format_tag tag = switch (logical.rank()) {
            case 1 -> memory.format_tag.a;
            case 4 -> memory.format_tag.abcd;
            default -> memory.format_tag.abcde;
        };
        return new memory(described(logical, tag), cpu);
    }

    /** Moves values into the layout that an argument has. */
    private void give(int argument, float[] values, Shape logical, memory.desc wanted) {
        memory source = plain(logical);
        new FloatPointer(source.get_data_handle()).put(values);
        memory target = new memory(wanted, cpu);
        new reorder(source, target).execute(queue, source, target);
        queue._wait();
        arguments.put(argument, target);
    }

    @Override
    public void run() {
        run.execute(queue, arguments);
        queue._wait();
    }

    @Override
    public float[] outputs() {
        run();
        memory target = plain(resultShape);
        new reorder(result, target).execute(queue, result, target);
        queue._wait();
        float[] values = new float[Math.toIntExact(resultShape.elementCount())];
        new FloatPointer(target.get_data_handle()).get(values);
        return values;
    }

    @Override
    public String form() {
        return form;
    }

    /** Nothing: the process ends with its only job. */
    @Override
    public void close() {}
}
