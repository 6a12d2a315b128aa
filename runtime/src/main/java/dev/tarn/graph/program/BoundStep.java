package dev.tarn.graph.program;

import dev.tarn.kernel.Team;

/** One step of a program that has memory. Running it validates nothing and allocates nothing. */
interface BoundStep {
    /** Sets the number of examples of the next runs, at most the planned batch. */
    void setBatch(long n);

    /** Computes what depends on parameters alone: nothing, unless it says so. */
    default void prepare(Team team) {}

    /** Computes the rest. */
    void run(Team team);
}
