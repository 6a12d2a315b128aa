package dev.tarn.session;

/**
 * How a network did on the validation split.
 *
 * @param epoch after which, counted from 1; the one under way for a run that stops within it
 * @param loss mean cross-entropy
 * @param accuracy share of right predictions, in [0, 1]
 */
public record Validation(long epoch, double loss, double accuracy) {}
