package org.hierattn.core;

/**
 * A model ready to answer, whatever runtime stands behind it.
 *
 * <p>Use it from one thread at a time. In an app, hand it to a {@link SelfTestGate} and ask that.
 */
public interface Classifier extends AutoCloseable {

    /**
     * Answer one preprocessed picture.
     *
     * @param rgb bytes [S, S, 3], rows from the top, red first, as {@link Preprocessor} makes them
     * @return one logit a class, in the order of the bundle's classes
     * @throws ClassifierException the runtime failed
     */
    float[] logits(byte[] rgb) throws ClassifierException;

    /** Name of the runtime, such as "onnxruntime". */
    String runtimeName();

    /** Version of the runtime, as it states it itself. */
    String runtimeVersion();

    /** Frees the model's memory; a second call does nothing. */
    @Override
    void close();
}
