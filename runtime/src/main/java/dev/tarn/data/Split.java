package dev.tarn.data;

/** Which part of a data set: the one to learn from or the one to be judged by. */
public enum Split {
    TRAIN,
    TEST
}
