package org.tensorflow.lite;

/** A stub: the shape of LiteRT's class of this name, for type-checking alone. It never runs. */
public final class TensorFlowLite {
    private TensorFlowLite() {}

    /** A stub. */
    public static String runtimeVersion() {
        throw new UnsupportedOperationException("stub");
    }
}
