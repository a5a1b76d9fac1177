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

    /** Must come with every copy of it. */
    static final String LICENCE = "ONNX Runtime\n\n"
            + "MIT License\n\n"
            + "Copyright (c) Microsoft Corporation\n\n"
            + "Permission is hereby granted, free of charge, to any person obtaining a copy "
            + "of this software and associated documentation files (the \"Software\"), to "
            + "deal in the Software without restriction, including without limitation the "
            + "rights to use, copy, modify, merge, publish, distribute, sublicense, and/or "
            + "sell copies of the Software, and to permit persons to whom the Software is "
            + "furnished to do so, subject to the following conditions:\n\n"
            + "The above copyright notice and this permission notice shall be included in "
            + "all copies or substantial portions of the Software.\n\n"
            + "THE SOFTWARE IS PROVIDED \"AS IS\", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR "
            + "IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, "
            + "FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE "
            + "AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER "
            + "LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING "
            + "FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS "
            + "IN THE SOFTWARE.";

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
