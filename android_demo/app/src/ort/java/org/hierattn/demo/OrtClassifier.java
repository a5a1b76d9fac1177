package org.hierattn.demo;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Collections;
import org.hierattn.core.ClassifierException;
import org.hierattn.core.ModelBundle;
import org.hierattn.core.Preprocessor;

/** A model in ONNX Runtime: CPU kernels, float input [1, 3, S, S] or [1, S, S, 3]. */
final class OrtClassifier implements TimedClassifier {
    private final ModelBundle bundle;
    private final Preprocessor preprocessor;
    private final float[] input;
    private final FloatBuffer buffer;
    private final OrtEnvironment environment;
    private OrtSession session;
    private OnnxTensor tensor;
    private long lastRunNanos;

    OrtClassifier(byte[] model, ModelBundle bundle, int threads) throws ClassifierException {
        this.bundle = bundle;
        preprocessor = new Preprocessor(bundle.preprocessing);
        int side = bundle.preprocessing.imageSize;
        input = new float[side * side * 3];
        buffer = ByteBuffer.allocateDirect(input.length * 4)
                .order(ByteOrder.nativeOrder()).asFloatBuffer();
        long[] shape = bundle.layout == Preprocessor.Layout.NCHW
                ? new long[] {1, 3, side, side}
                : new long[] {1, side, side, 3};
        try {
            environment = OrtEnvironment.getEnvironment();
            environment.setTelemetry(false);
            OrtSession.SessionOptions options = new OrtSession.SessionOptions();
            try {
                options.setIntraOpNumThreads(threads);
                options.setInterOpNumThreads(1);
                session = environment.createSession(model, options);
            } finally {
                options.close();
            }
            // A direct buffer is read where it lies; what is put into it is what the model sees.
            tensor = OnnxTensor.createTensor(environment, buffer, shape);
        } catch (OrtException error) {
            close();
            throw new ClassifierException("ONNX Runtime: " + error.getMessage(), error);
        } catch (LinkageError error) {
            close();
            throw new ClassifierException("ONNX Runtime's library: " + error.getMessage(), error);
        }
    }

    @Override
    public float[] logits(byte[] rgb) throws ClassifierException {
        if (session == null) {
            throw new ClassifierException("the model was closed");
        }
        preprocessor.fillInput(rgb, bundle.layout, input);
        buffer.clear();
        buffer.put(input);
        buffer.rewind();
        try {
            long began = System.nanoTime();
            OrtSession.Result result = session.run(
                    Collections.singletonMap(bundle.inputName, tensor),
                    Collections.singleton(bundle.outputName));
            lastRunNanos = System.nanoTime() - began;
            try {
                return read(result.get(0));
            } finally {
                result.close();
            }
        } catch (OrtException error) {
            throw new ClassifierException("ONNX Runtime: " + error.getMessage(), error);
        } catch (RuntimeException error) {
            throw new ClassifierException("ONNX Runtime's answer: " + error, error);
        }
    }

    private static float[] read(OnnxValue value) {
        FloatBuffer answer = ((OnnxTensor) value).getFloatBuffer();
        float[] logits = new float[answer.remaining()];
        answer.get(logits);
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
        return environment.getVersion();
    }

    @Override
    public void close() {
        try {
            if (tensor != null) {
                tensor.close();
                tensor = null;
            }
            if (session != null) {
                session.close();
                session = null;
            }
        } catch (OrtException error) {
            // Its memory goes with the process at the latest.
            session = null;
        }
    }
}
