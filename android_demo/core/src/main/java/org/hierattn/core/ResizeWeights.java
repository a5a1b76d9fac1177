package org.hierattn.core;

/**
 * Fixed-point weights of Pillow's antialiased bilinear filter along one side.
 *
 * <p>The order of every floating-point step is Pillow's (Resample.c, written anew here), because
 * another order may round to another integer.
 */
final class ResizeWeights {
    /** Weights are integers over 2^22: 32 bits less 8 of a pixel and 2 to spare. */
    static final int PRECISION_BITS = 32 - 8 - 2;
    /** A half, so that the shift rounds. */
    static final int HALF = 1 << (PRECISION_BITS - 1);

    final int inSize;
    final int outSize;
    /** For each output: the first input with a weight. */
    final int[] first;
    /** For each output: how many inputs have a weight. */
    final int[] count;
    /** For each input: the first output that it counts for. */
    final int[] firstOut;
    /** For each input: how many outputs it counts for. */
    final int[] countOut;
    /** Weights of output o start at o * stride. */
    final int[] weights;
    final int stride;

    /**
     * Compute the weights.
     *
     * @param inSize pixels before, at least 1
     * @param outSize pixels after, at least 1
     */
    ResizeWeights(int inSize, int outSize) {
        this.inSize = inSize;
        this.outSize = outSize;
        double scale = (double) inSize / outSize;
        double filterScale = scale < 1.0 ? 1.0 : scale;
        double support = filterScale;
        stride = (int) Math.ceil(support) * 2 + 1;
        first = new int[outSize];
        count = new int[outSize];
        weights = new int[outSize * stride];
        double[] shares = new double[stride];
        for (int out = 0; out < outSize; out++) {
            double center = (out + 0.5) * scale;
            double step = 1.0 / filterScale;
            int low = Math.max((int) (center - support + 0.5), 0);
            int high = Math.min((int) (center + support + 0.5), inSize);
            double sum = 0.0;
            for (int x = 0; x < high - low; x++) {
                shares[x] = triangle((x + low - center + 0.5) * step);
                sum += shares[x];
            }
            for (int x = 0; x < high - low; x++) {
                double share = sum != 0.0 ? shares[x] / sum : shares[x];
                weights[out * stride + x] = (int) (0.5 + share * (1 << PRECISION_BITS));
            }
            first[out] = low;
            count[out] = high - low;
        }
        firstOut = new int[inSize];
        countOut = new int[inSize];
        // Both ends of the windows only ever move to the right, so that an input's outputs are
        // neighbours.
        for (int out = 0; out < outSize; out++) {
            for (int in = first[out]; in < first[out] + count[out]; in++) {
                if (countOut[in]++ == 0) {
                    firstOut[in] = out;
                }
            }
        }
    }

    /** Whether the pass leaves every pixel as it is; Pillow then skips it. */
    boolean isIdentity() {
        return inSize == outSize;
    }

    /** The weight of an input in an output that it counts for. */
    int weight(int out, int in) {
        return weights[out * stride + in - first[out]];
    }

    /** A sum of weighted pixels back to a byte. */
    static byte toByte(int sum) {
        int value = sum >> PRECISION_BITS;
        return (byte) (value < 0 ? 0 : value > 255 ? 255 : value);
    }

    private static double triangle(double x) {
        double distance = x < 0.0 ? -x : x;
        return distance < 1.0 ? 1.0 - distance : 0.0;
    }
}
