package dev.tarn.nn;

/** Whether a linear operation adds a learned constant to each channel. Useless before batch normalisation, which removes it. */
public enum Bias {
    LEARNED,
    NONE
}
