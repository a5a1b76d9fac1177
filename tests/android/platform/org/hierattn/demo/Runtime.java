package org.hierattn.demo;

import org.hierattn.core.ModelBundle;

/** Stands for a flavour's: the sum over pixels that tests/android/fake_bundle.py calls a model. */
final class Runtime {
    static final String FORMAT = "onnx";
    static final String NAME = "fake";
    static final String LICENCE = "none";
    /** Added to every logit: a phone that computes otherwise. */
    static volatile float offset;

    private Runtime() {}

    static TimedClassifier open(byte[] model, final ModelBundle bundle, int threads) {
        return new TimedClassifier() {
            @Override
            public float[] logits(byte[] rgb) {
                float[] logits = new float[bundle.classes.size()];
                for (int k = 0; k < logits.length; k++) {
                    long sum = 0;
                    for (int place = 0; place < rgb.length; place++) {
                        sum += (rgb[place] & 255) * (place * (k + 3L) % 7 - 3);
                    }
                    logits[k] = (float) sum / 1024f + offset;
                }
                return logits;
            }

            @Override
            public long lastRunNanos() {
                return 1000000;
            }

            @Override
            public String runtimeName() {
                return NAME;
            }

            @Override
            public String runtimeVersion() {
                return "1";
            }

            @Override
            public void close() {}
        };
    }
}
