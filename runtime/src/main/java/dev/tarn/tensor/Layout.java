package dev.tarn.tensor;

/** Orders in which a tensor's elements lie in memory. Shapes, indices and files always speak logical order. */
public enum Layout {
    /** Last dimension contiguous: vectors, matrices, labels, and everything in files. */
    ROW_MAJOR(new int[][] {{}, {0}, {0, 1}, {0, 1, 2}, {0, 1, 2, 3}}),
    /** Images (N, C, H, W) in memory order N, H, W, C, so that every hot loop runs over contiguous channels. */
    CHANNELS_LAST(new int[][] {{}, {0}, {0, 1}, {0, 2, 1}, {0, 2, 3, 1}}),
    /** Weights as kernels read them: (O, I, KH, KW) in order KH, KW, I, O; (O, I) in order I, O. */
    WEIGHT(new int[][] {{}, {0}, {1, 0}, {2, 1, 0}, {2, 3, 1, 0}});

    private final int[][] orderByRank;

    Layout(int[][] orderByRank) {
        this.orderByRank = orderByRank;
    }

    /** Distance in elements between neighbours along each logical dimension. */
    public long[] strides(Shape shape) {
        int rank = shape.rank();
        if (rank >= orderByRank.length) {
            throw new IllegalArgumentException(
                    "tensors have at most %d dimensions, not %s".formatted(orderByRank.length - 1, shape));
        }
        long[] strides = new long[rank];
        long stride = 1;
        for (int i = rank - 1; i >= 0; i--) {
            int dimension = orderByRank[rank][i];
            strides[dimension] = stride;
            stride *= Math.max(1, shape.size(dimension));
        }
        return strides;
    }
}
