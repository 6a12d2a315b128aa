package dev.tarn.graph.program;

/** Watches the steps of a program run, by their place in it. */
interface StepObserver {
    void before(int step);

    /** The step's operands hold what it was given and what it computed. */
    void after(int step);
}
