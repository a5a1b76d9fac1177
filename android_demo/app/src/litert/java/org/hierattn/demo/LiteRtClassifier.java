package org.hierattn.demo;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import org.hierattn.core.ClassifierException;
import org.hierattn.core.ModelBundle;
import org.hierattn.core.Preprocessor;
import org.tensorflow.lite.Interpreter;
import org.tensorflow.lite.TensorFlowLite;

/** A model in LiteRT's interpreter: CPU kernels (XNNPACK), float input [1, S, S, 3]. */
final class LiteRtClassifier implements TimedClassifier {
    private final ModelBundle bundle;
    private final Preprocessor preprocessor;
    private final float[] input;
    private final FloatBuffer inputBuffer;
    private final ByteBuffer outputBuffer;
    private Interpreter interpreter;
    private long lastRunNanos;

    LiteRtClassifier(byte[] model, ModelBundle bundle, int threads) throws ClassifierException {
        this.bundle = bundle;
        preprocessor = new Preprocessor(bundle.preprocessing);
        input = new float[bundle.preprocessing.imageSize * bundle.preprocessing.imageSize * 3];
        inputBuffer = direct(input.length * 4).asFloatBuffer();
        outputBuffer = direct(bundle.classes.size() * 4);
        // The interpreter keeps to this buffer for as long as it lives.
        ByteBuffer file = direct(model.length);
        file.put(model);
        file.rewind();
        try {
            Interpreter.Options options = new Interpreter.Options();
            options.setNumThreads(threads);
            interpreter = new Interpreter(file, options);
        } catch (RuntimeException error) {
            throw new ClassifierException("LiteRT: " + error.getMessage(), error);
        } catch (LinkageError error) {
            throw new ClassifierException("LiteRT's library: " + error.getMessage(), error);
        }
    }

    private static ByteBuffer direct(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }

    @Override
    public float[] logits(byte[] rgb) throws ClassifierException {
        if (interpreter == null) {
            throw new ClassifierException("the model was closed");
        }
        preprocessor.fillInput(rgb, bundle.layout, input);
        inputBuffer.clear();
        inputBuffer.put(input);
        inputBuffer.rewind();
        outputBuffer.clear();
        try {
            long began = System.nanoTime();
            interpreter.run(inputBuffer, outputBuffer);
            lastRunNanos = System.nanoTime() - began;
        } catch (RuntimeException error) {
            throw new ClassifierException("LiteRT: " + error.getMessage(), error);
        }
        outputBuffer.rewind();
        float[] logits = new float[bundle.classes.size()];
        outputBuffer.asFloatBuffer().get(logits);
        return logits;
    }

    @Override
    public long lastRunNanos() {
        return lastRunNanos;
    }

    @Override
    public String runtimeName() {
        return Runtime.NAME;
    }

    @Override
    public String runtimeVersion() {
        return TensorFlowLite.runtimeVersion();
    }

    @Override
    public void close() {
        if (interpreter != null) {
            interpreter.close();
            interpreter = null;
        }
    }
}
