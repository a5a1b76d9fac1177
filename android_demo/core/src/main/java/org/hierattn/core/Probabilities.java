package org.hierattn.core;

/** From logits to calibrated probabilities. */
public final class Probabilities {
    private Probabilities() {}

    /**
     * softmax(logits / temperature), in double precision.
     *
     * @param logits one a class, at least one, all finite
     * @param temperature more than 0
     * @return as many probabilities, which add up to 1
     * @throws IllegalArgumentException NaN, infinity, no logits, or a temperature of 0 or less
     */
    public static double[] softmax(float[] logits, double temperature) {
        if (logits.length == 0 || !(temperature > 0) || Double.isInfinite(temperature)) {
            throw new IllegalArgumentException(
                    logits.length + " logits at temperature " + temperature);
        }
        double largest = Double.NEGATIVE_INFINITY;
        for (float logit : logits) {
            if (Float.isNaN(logit) || Float.isInfinite(logit)) {
                throw new IllegalArgumentException("a logit is " + logit);
            }
            largest = Math.max(largest, logit / temperature);
        }
        double[] result = new double[logits.length];
        double sum = 0;
        for (int index = 0; index < logits.length; index++) {
            result[index] = Math.exp(logits[index] / temperature - largest);
            sum += result[index];
        }
        for (int index = 0; index < logits.length; index++) {
            result[index] /= sum;
        }
        return result;
    }

    /**
     * The places of the highest values, highest first; of equals the lower index comes first.
     *
     * @param values none NaN
     * @param count how many are wanted; all of them where there are fewer
     */
    public static int[] top(double[] values, int count) {
        int[] places = new int[Math.min(Math.max(count, 0), values.length)];
        boolean[] taken = new boolean[values.length];
        for (int rank = 0; rank < places.length; rank++) {
            int best = -1;
            for (int index = 0; index < values.length; index++) {
                if (!taken[index] && (best < 0 || values[index] > values[best])) {
                    best = index;
                }
            }
            taken[best] = true;
            places[rank] = best;
        }
        return places;
    }
}
