package org.hierattn.core;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** The constants with which logits become an answer, fitted on photos; see Python's class. */
public final class OperatingPoint {
    /** Divides all logits; more than 0. */
    public final double temperature;
    /** Below this highest probability the answer is "not sure". */
    public final double abstainThreshold;
    private final int[] targets;
    /** At or above this probability melanoma is flagged; NaN where no threshold is known. */
    public final double melanomaThreshold;
    /** The photos it was fitted on, in words. */
    public final String fittedOn;

    /**
     * All constants; see the fields.
     *
     * @param targets places of the classes that are melanoma, empty where there is none
     */
    public OperatingPoint(double temperature, double abstainThreshold, int[] targets,
            double melanomaThreshold, String fittedOn) {
        this.temperature = temperature;
        this.abstainThreshold = abstainThreshold;
        this.targets = targets.clone();
        this.melanomaThreshold = melanomaThreshold;
        this.fittedOn = fittedOn;
    }

    static OperatingPoint parse(Fields fields, List<String> classes) throws BundleException {
        double temperature = fields.number("temperature");
        if (!(temperature > 0)) {
            throw fields.wrong("temperature", "more than 0 is needed");
        }
        int[] targets = targets(fields, classes);
        double threshold = Double.NaN;
        if (!fields.isNull("melanoma_threshold")) {
            threshold = share(fields, "melanoma_threshold");
            if (targets.length == 0) {
                throw fields.wrong("melanoma_threshold", "it needs a melanoma_class");
            }
        }
        return new OperatingPoint(temperature, share(fields, "abstain_threshold"), targets,
                threshold, fields.text("fitted_on"));
    }

    /** Whether photos were there to fit it on; else probabilities are not calibrated. */
    public boolean isFitted() {
        return !fittedOn.startsWith("not fitted");
    }

    /** Whether any class is melanoma. */
    public boolean hasTarget() {
        return targets.length > 0;
    }

    /** Whether the class at a place is melanoma. */
    public boolean isTarget(int index) {
        for (int target : targets) {
            if (target == index) {
                return true;
            }
        }
        return false;
    }

    /** The probability of all target classes together, at most 1. */
    double targetProbability(double[] probabilities) {
        double sum = 0;
        for (int target : targets) {
            sum += probabilities[target];
        }
        return sum;
    }

    /** Bundles of old have melanoma_class alone; both must say the same. */
    private static int[] targets(Fields fields, List<String> classes) throws BundleException {
        List<String> names = new ArrayList<String>();
        String alone = fields.isNull("melanoma_class") ? null : fields.text("melanoma_class");
        if (fields.names().contains("target_classes")) {
            names.addAll(fields.texts("target_classes"));
            if (!Objects.equals(alone, names.size() == 1 ? names.get(0) : null)) {
                throw fields.wrong("melanoma_class", "target_classes name another");
            }
        } else if (alone != null) {
            names.add(alone);
        }
        int[] places = new int[names.size()];
        for (int place = 0; place < places.length; place++) {
            places[place] = classes.indexOf(names.get(place));
            if (places[place] < 0) {
                String field = alone == null ? "target_classes" : "melanoma_class";
                throw fields.wrong(field, "it is none of the classes");
            }
            if (names.indexOf(names.get(place)) != place) {
                throw fields.wrong("target_classes", "different names are needed");
            }
        }
        return places;
    }

    private static double share(Fields fields, String name) throws BundleException {
        double value = fields.number(name);
        if (!(value >= 0 && value <= 1)) {
            throw fields.wrong(name, "0 to 1 is needed");
        }
        return value;
    }
}
