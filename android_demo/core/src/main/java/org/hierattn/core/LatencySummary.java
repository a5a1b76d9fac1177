package org.hierattn.core;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** Percentiles and mean of measured times, by the linear method that numpy takes by default. */
public final class LatencySummary {
    /** Half of the runs were at most so long, milliseconds. */
    public final double p50;
    /** Nine of ten were, milliseconds. */
    public final double p90;
    /** 99 of 100 were, milliseconds. */
    public final double p99;
    /** Milliseconds. */
    public final double mean;
    /** How many runs. */
    public final int runs;

    /**
     * Summarise.
     *
     * @param milliseconds at least one, each finite and not below 0; not changed
     * @throws IllegalArgumentException none, or one that is no time
     */
    public LatencySummary(double[] milliseconds) {
        if (milliseconds.length == 0) {
            throw new IllegalArgumentException("no run was measured");
        }
        double sum = 0;
        for (double value : milliseconds) {
            if (!(value >= 0) || Double.isInfinite(value)) {
                throw new IllegalArgumentException("a run took " + value + " ms");
            }
            sum += value;
        }
        double[] sorted = milliseconds.clone();
        Arrays.sort(sorted);
        runs = sorted.length;
        mean = sum / runs;
        p50 = percentile(sorted, 50);
        p90 = percentile(sorted, 90);
        p99 = percentile(sorted, 99);
    }

    /**
     * A percentile, with a straight line between the two nearest values.
     *
     * @param sorted rising, at least one value
     * @param percent 0 to 100
     */
    public static double percentile(double[] sorted, double percent) {
        double place = (sorted.length - 1) * (percent / 100);
        int below = (int) Math.floor(place);
        int above = Math.min(below + 1, sorted.length - 1);
        double share = place - below;
        double step = sorted[above] - sorted[below];
        // numpy counts from the nearer end, which decides the last bit.
        return share >= 0.5 ? sorted[above] - step * (1 - share) : sorted[below] + step * share;
    }

    /** For {@link JsonWriter}: p50_ms, p90_ms, p99_ms, mean_ms, runs. */
    public Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<String, Object>();
        json.put("runs", runs);
        json.put("p50_ms", p50);
        json.put("p90_ms", p90);
        json.put("p99_ms", p99);
        json.put("mean_ms", mean);
        return json;
    }
}
