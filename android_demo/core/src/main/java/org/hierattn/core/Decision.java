package org.hierattn.core;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the app says of one picture: at most three classes, whether it is sure, and whether melanoma
 * must be flagged. Both thresholds stand beside each other: a picture can be "not sure" and flagged.
 */
public final class Decision {
    /** Classes shown. */
    public static final int SHOWN = 3;

    /** One class with its calibrated probability. */
    public static final class Candidate {
        /** Place in the bundle's classes. */
        public final int index;
        /** The class. */
        public final String label;
        /** 0 to 1. */
        public final double probability;

        Candidate(int index, String label, double probability) {
            this.index = index;
            this.label = label;
            this.probability = probability;
        }
    }

    /** The likeliest classes, likeliest first. */
    public final List<Candidate> top;
    /** Calibrated, one a class. */
    public final double[] probabilities;
    /** False where the highest probability is below the abstain threshold: say "not sure". */
    public final boolean sure;
    /** Probability of the target classes together, 0 where there are none. */
    public final double melanomaProbability;
    /** Whether the probability of melanoma reaches its threshold; null where none is known. */
    public final Boolean melanomaFlag;

    private Decision(
            List<Candidate> top, double[] probabilities, boolean sure, double melanomaProbability,
            Boolean melanomaFlag) {
        this.top = top;
        this.probabilities = probabilities;
        this.sure = sure;
        this.melanomaProbability = melanomaProbability;
        this.melanomaFlag = melanomaFlag;
    }

    /**
     * Decide by an operating point.
     *
     * @param logits one a class
     * @param classes in the same order
     * @throws IllegalArgumentException another number of logits, NaN or infinity: never an answer
     */
    public static Decision of(float[] logits, List<String> classes, OperatingPoint point) {
        if (logits.length != classes.size()) {
            throw new IllegalArgumentException(
                    logits.length + " logits for " + classes.size() + " classes");
        }
        double[] probabilities = Probabilities.softmax(logits, point.temperature);
        List<Candidate> top = new ArrayList<Candidate>();
        for (int index : Probabilities.top(probabilities, SHOWN)) {
            top.add(new Candidate(index, classes.get(index), probabilities[index]));
        }
        Boolean flag = null;
        double melanoma = point.targetProbability(probabilities);
        if (point.hasTarget() && !Double.isNaN(point.melanomaThreshold)) {
            flag = melanoma >= point.melanomaThreshold;
        }
        boolean sure = top.get(0).probability >= point.abstainThreshold;
        return new Decision(Collections.unmodifiableList(top), probabilities, sure, melanoma,
                flag);
    }

    /** For {@link JsonWriter}: top, sure, melanoma_flag. */
    public Map<String, Object> toJson() {
        List<Object> listed = new ArrayList<Object>();
        for (Candidate candidate : top) {
            Map<String, Object> entry = new LinkedHashMap<String, Object>();
            entry.put("class", candidate.label);
            entry.put("probability", candidate.probability);
            listed.add(entry);
        }
        Map<String, Object> json = new LinkedHashMap<String, Object>();
        json.put("top", listed);
        json.put("sure", sure);
        json.put("melanoma_flag", melanomaFlag);
        return json;
    }
}
