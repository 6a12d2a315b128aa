package dev.tarn.kernel;

import dev.tarn.tensor.DType;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One operation with its sizes and operands, before any memory exists. Field names are those of the operation's argument struct
 * in {@code tarn_args.h}; a field that is not set is zero or null.
 *
 * @param <P> what stands for an operand: a value of a graph while planning, memory when called directly
 */
public final class KernelCall<P> {
    private final String op;
    private final DType dtype;
    private final Map<String, Number> numbers = new LinkedHashMap<>();
    private final Map<String, P> pointers = new LinkedHashMap<>();

    private boolean batched = true;

    private KernelCall(String op, DType dtype) {
        this.op = op;
        this.dtype = dtype;
    }

    /** A call of an operation such as {@code "conv2d_forward"} in a number type. */
    public static <P> KernelCall<P> of(String op, DType dtype) {
        return new KernelCall<>(op, dtype);
    }

    /** Marks a call that does not depend on the batch, such as an optimizer step: its n is always 1. */
    public KernelCall<P> once() {
        batched = false;
        return this;
    }

    /** Whether n is the number of examples of each run. */
    public boolean isBatched() {
        return batched;
    }

    /** Sets an integer field. */
    public KernelCall<P> set(String field, long value) {
        numbers.put(field, value);
        return this;
    }

    /** Sets a floating-point field. */
    public KernelCall<P> set(String field, double value) {
        numbers.put(field, value);
        return this;
    }

    /** Sets an operand; null leaves it out. */
    public KernelCall<P> set(String field, @Nullable P operand) {
        if (operand != null) {
            pointers.put(field, operand);
        }
        return this;
    }

    public String op() {
        return op;
    }

    public DType dtype() {
        return dtype;
    }

    Map<String, Number> numbers() {
        return numbers;
    }

    /** Operands by field. */
    public Map<String, P> pointers() {
        return pointers;
    }

    /** {@code conv2d_forward F32 {h=28, w=28, ...}} */
    @Override
    public String toString() {
        return op + " " + dtype + " " + numbers;
    }
}
