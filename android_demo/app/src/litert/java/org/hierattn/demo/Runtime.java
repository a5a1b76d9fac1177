package org.hierattn.demo;

import org.hierattn.core.ClassifierException;
import org.hierattn.core.ModelBundle;

/** The runtime of this flavour: LiteRT, on the CPU. */
final class Runtime {
    /** What {@code format} of a bundle it reads. */
    static final String FORMAT = "tflite";

    /** As {@link TimedClassifier#runtimeName} says it, for when there is none. */
    static final String NAME = "litert";

    static final String LICENCE = "LiteRT, © Google LLC: Apache licence 2.0, "
            + "https://www.apache.org/licenses/LICENSE-2.0";

    private Runtime() {}

    /**
     * Load a model.
     *
     * @param model the bytes of the bundle's file
     * @param threads for one answer, at least 1
     * @throws ClassifierException the runtime does not take it
     */
    static TimedClassifier open(byte[] model, ModelBundle bundle, int threads)
            throws ClassifierException {
        return new LiteRtClassifier(model, bundle, threads);
    }
}
