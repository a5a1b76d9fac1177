package org.hierattn.demo;

import android.system.ErrnoException;
import android.system.Os;
import org.hierattn.core.ClassifierException;
import org.hierattn.core.ModelBundle;

/** The runtime of this flavour: ONNX Runtime, on the CPU. */
final class Runtime {
    /** What {@code format} of a bundle it reads. */
    static final String FORMAT = "onnx";

    /** As {@link TimedClassifier#runtimeName} says it, for when there is none. */
    static final String NAME = "onnxruntime";

    static final String LICENCE = "ONNX Runtime: MIT licence, © Microsoft Corporation";

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
        silenceTelemetry();
        return new OrtClassifier(model, bundle, threads);
    }

    /**
     * Must come before the first class of ONNX Runtime is loaded. Without the INTERNET permission
     * nothing could be sent anyway, and the classes that would send are not in this app.
     */
    private static void silenceTelemetry() throws ClassifierException {
        try {
            Os.setenv("ORT_DISABLE_TELEMETRY", "1", true);
        } catch (ErrnoException error) {
            throw new ClassifierException("telemetry cannot be switched off", error);
        }
    }
}
