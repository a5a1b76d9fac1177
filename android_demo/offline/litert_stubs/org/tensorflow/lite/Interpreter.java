package org.tensorflow.lite;

import java.nio.ByteBuffer;

/** A stub: the shape of LiteRT's class of this name, for type-checking alone. It never runs. */
public final class Interpreter implements AutoCloseable {
    /** A stub. */
    public static class Options {
        /** A stub. */
        public Options() {
            throw new UnsupportedOperationException("stub");
        }

        /** A stub. */
        public Options setNumThreads(int threads) {
            throw new UnsupportedOperationException("stub");
        }
    }

    /** A stub. */
    public Interpreter(ByteBuffer model, Options options) {
        throw new UnsupportedOperationException("stub");
    }

    /** A stub. */
    public void run(Object input, Object output) {
        throw new UnsupportedOperationException("stub");
    }

    @Override
    public void close() {
        throw new UnsupportedOperationException("stub");
    }
}
