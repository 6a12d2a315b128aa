package dev.tarn.bench.kernels;

/** The three products of a convolution layer, by the names that kernels use. */
public enum Direction {
    FORWARD("conv2d_forward", "input", "weight", "output"),
    BACKWARD_DATA("conv2d_backward_data", "grad_input", "weight", "grad_output"),
    BACKWARD_WEIGHT("conv2d_backward_weight", "input", "grad_weight", "grad_output");

    final String op;
    final String inputField;
    final String weightField;
    final String outputField;

    Direction(String op, String inputField, String weightField, String outputField) {
        this.op = op;
        this.inputField = inputField;
        this.weightField = weightField;
        this.outputField = outputField;
    }
}
