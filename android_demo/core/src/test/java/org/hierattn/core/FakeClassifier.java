package org.hierattn.core;

/**
 * No model at all: weighted sums over bytes that tests/android/fake_bundle.py repeats exactly. The
 * tests of the self-test need something that answers.
 */
class FakeClassifier implements Classifier {
    static final int CLASSES = 3;
    int asked;
    int closed;

    @Override
    public float[] logits(byte[] rgb) throws ClassifierException {
        asked++;
        float[] logits = new float[CLASSES];
        for (int k = 0; k < CLASSES; k++) {
            long sum = 0;
            for (int place = 0; place < rgb.length; place++) {
                sum += (long) (rgb[place] & 255) * ((long) place * (k + 3) % 7 - 3);
            }
            logits[k] = (float) sum / 1024f;
        }
        return logits;
    }

    @Override
    public String runtimeName() {
        return "fake";
    }

    @Override
    public String runtimeVersion() {
        return "1";
    }

    @Override
    public void close() {
        closed++;
    }
}
