package org.hierattn.core;

import java.util.List;

/** The constants with which logits become an answer, fitted on photos; see Python's class. */
public final class OperatingPoint {
    /** Divides all logits; more than 0. */
    public final double temperature;
    /** Below this highest probability the answer is "not sure". */
    public final double abstainThreshold;
    /** Index of the melanoma class, -1 where there is none. */
    public final int melanomaIndex;
    /** At or above this probability melanoma is flagged; NaN where no threshold is known. */
    public final double melanomaThreshold;
    /** The photos it was fitted on, in words. */
    public final String fittedOn;

    /** All constants; see the fields. */
    public OperatingPoint(double temperature, double abstainThreshold, int melanomaIndex,
            double melanomaThreshold, String fittedOn) {
        this.temperature = temperature;
        this.abstainThreshold = abstainThreshold;
        this.melanomaIndex = melanomaIndex;
        this.melanomaThreshold = melanomaThreshold;
        this.fittedOn = fittedOn;
    }

    static OperatingPoint parse(Fields fields, List<String> classes) throws BundleException {
        double temperature = fields.number("temperature");
        if (!(temperature > 0)) {
            throw fields.wrong("temperature", "more than 0 is needed");
        }
        int melanoma = -1;
        if (!fields.isNull("melanoma_class")) {
            melanoma = classes.indexOf(fields.text("melanoma_class"));
            if (melanoma < 0) {
                throw fields.wrong("melanoma_class", "it is none of the classes");
            }
        }
        double threshold = Double.NaN;
        if (!fields.isNull("melanoma_threshold")) {
            threshold = share(fields, "melanoma_threshold");
            if (melanoma < 0) {
                throw fields.wrong("melanoma_threshold", "it needs a melanoma_class");
            }
        }
        return new OperatingPoint(temperature, share(fields, "abstain_threshold"), melanoma,
                threshold, fields.text("fitted_on"));
    }

    private static double share(Fields fields, String name) throws BundleException {
        double value = fields.number(name);
        if (!(value >= 0 && value <= 1)) {
            throw fields.wrong(name, "0 to 1 is needed");
        }
        return value;
    }
}
