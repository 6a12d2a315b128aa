package dev.tarn.bench;

/** What is computed of a layer. */
public enum Direction {
    FORWARD,
    BACKWARD_DATA,
    BACKWARD_WEIGHT;

    static Direction of(Task task) {
        return valueOf(task.name());
    }
}
