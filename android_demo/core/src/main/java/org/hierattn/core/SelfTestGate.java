package org.hierattn.core;

import java.io.IOException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Keeps a model silent until the self-test of this very bundle passed on this device.
 *
 * <p>An app runs {@link #test(AssetReader, PngDecoder, List, String, RecordStore)} at its first launch and
 * after every change, and calls {@link #resume} with the record at later launches. A record counts only for the same
 * bundle (by sha256), runtime, runtime version and environment; the bundle's files are hashed again.
 */
public final class SelfTestGate implements AutoCloseable {
    /** Fields of a record: sha256 of bundle.json, and of the model file that the device uses. */
    static final String BUNDLE = "bundle_sha256", MODEL = "model_sha256";
    /** Field of a record. */
    static final String ENVIRONMENT = "environment";
    private static final String TRIED = "tried";
    private final ModelBundle bundle;
    private final Classifier classifier;
    private String shutReason = "the self-test has not been run";
    private List<?> tried = Collections.emptyList();
    private boolean closed;

    /**
     * Start shut.
     *
     * @param bundle what the model comes from
     * @param classifier made from {@code bundle.readModel}; closed with the gate
     */
    public SelfTestGate(ModelBundle bundle, Classifier classifier) {
        this.bundle = bundle;
        this.classifier = classifier;
    }

    /**
     * Run the self-test; opens if it passes, and shuts if it does not.
     *
     * @throws IllegalStateException the gate was closed
     */
    public synchronized SelfTestResult test(AssetReader assets, PngDecoder decoder) {
        return test(assets, decoder, Collections.<PhotoDecoder>emptyList());
    }

    /**
     * Run the self-test, photos included; opens if it passes, and shuts if it does not.
     *
     * @param photoDecoders all ways in which the app decodes JPEG photos
     * @throws IllegalStateException the gate was closed
     */
    public synchronized SelfTestResult test(
            AssetReader assets, PngDecoder decoder, List<PhotoDecoder> photoDecoders) {
        if (closed) {
            throw new IllegalStateException("the model was closed");
        }
        shutReason = "the self-test was not finished";
        SelfTestResult result = SelfTest.run(
                bundle, assets, decoder, photoDecoders, classifier);
        shutReason = result.passed() ? null : "the self-test " + verb(result) + ": " + result.reason;
        return result;
    }

    /**
     * Run the self-test and keep its record. The old record is deleted first: were the app to die
     * of the test, it would still open the gate at the next launch.
     *
     * @param photoDecoders all ways in which the app decodes JPEG photos
     * @param environment as in {@link #record}
     * @param store where the record is kept; if it cannot be kept, the next launch tests again
     * @throws IOException the old record cannot be deleted; nothing was tested, the gate is shut
     * @throws IllegalStateException the gate was closed
     */
    public synchronized SelfTestResult test(AssetReader assets, PngDecoder decoder,
            List<PhotoDecoder> photoDecoders, String environment, RecordStore store)
            throws IOException {
        try {
            delete(store);
        } catch (IOException error) {
            shutReason = closed ? shutReason : error.getMessage();
            throw error;
        }
        SelfTestResult result = test(assets, decoder, photoDecoders);
        keep(environment, store);
        return result;
    }

    /** Delete an earlier record, or say that it stays. */
    static void delete(RecordStore store) throws IOException {
        try {
            store.delete();
        } catch (IOException error) {
            throw new IOException("the record of an earlier self-test cannot be deleted: "
                    + error.getMessage(), error);
        }
    }

    /** Keep the record of an open gate; if it cannot be kept, the next launch tests again. */
    void keep(String environment, RecordStore store) {
        if (!isOpen()) {
            return;
        }
        try {
            store.keep(record(environment));
        } catch (NotTestedException error) {
            throw new IllegalStateException("the gate is open", error);
        } catch (IOException notKept) {
            // The next launch tests again; nothing worse.
            return;
        }
    }

    /**
     * Open by a record of an earlier launch instead of running the self-test again.
     *
     * @param assets the bundle's files, all of which are hashed
     * @param record from {@link #record}, or null where there is none
     * @param environment as it was given to {@link #record}
     * @return whether it opened; if not, test
     */
    public synchronized boolean resume(AssetReader assets, String record, String environment) {
        try {
            if (closed || record == null) {
                return false;
            }
            Object parsed = Json.parse(record);
            if (!(parsed instanceof Map)) {
                return false;
            }
            Map<?, ?> kept = new LinkedHashMap<Object, Object>((Map<?, ?>) parsed);
            Object told = kept.remove(TRIED);
            if (!facts(environment).equals(kept)) {
                return false;
            }
            bundle.checkFiles(assets);
            tried = told instanceof List ? (List<?>) told : Collections.emptyList();
        } catch (JsonException error) {
            return false;
        } catch (BundleException error) {
            return false;
        }
        shutReason = null;
        return true;
    }

    /**
     * What to keep of a self-test that passed.
     *
     * @param environment whatever else must stay the same, such as the app's version code and
     *     Android's build fingerprint: an update of either may compute differently
     * @throws NotTestedException the gate is shut
     */
    public synchronized String record(String environment) throws NotTestedException {
        check();
        try {
            Map<String, Object> kept = facts(environment);
            if (!tried.isEmpty()) {
                kept.put(TRIED, tried);
            }
            return JsonWriter.write(kept);
        } catch (JsonException error) {
            throw new IllegalStateException("strings and finite numbers are always JSON", error);
        }
    }

    /**
     * The model files that this device was tried with, as {@link ModelChoice} lists them for JSON;
     * empty where the bundle has one.
     */
    public synchronized List<?> tried() {
        return tried;
    }

    synchronized void setTried(List<?> newTried) {
        tried = newTried;
    }

    /** Whether the model answers. */
    public synchronized boolean isOpen() {
        return shutReason == null;
    }

    /** Why the model does not answer, for the screen; null where it does. */
    public synchronized String shutReason() {
        return shutReason;
    }

    /**
     * Ask the model.
     *
     * @param rgb bytes [S, S, 3]
     * @throws NotTestedException the self-test did not pass
     * @throws ClassifierException the runtime failed, or what it answers is no number
     */
    public synchronized Decision decide(byte[] rgb)
            throws NotTestedException, ClassifierException {
        float[] logits = logits(rgb);
        try {
            return Decision.of(logits, bundle.classes, bundle.operatingPoint);
        } catch (IllegalArgumentException error) {
            throw new ClassifierException("the model gives no answer: " + error.getMessage(), error);
        }
    }

    /**
     * Ask the model for its logits alone, as a benchmark does.
     *
     * @throws NotTestedException the self-test did not pass
     * @throws ClassifierException the runtime failed
     */
    public synchronized float[] logits(byte[] rgb) throws NotTestedException, ClassifierException {
        check();
        return classifier.logits(rgb);
    }

    /** Shuts for good and frees the model. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            shutReason = "the model was closed";
            classifier.close();
        }
    }

    private void check() throws NotTestedException {
        if (shutReason != null) {
            throw new NotTestedException(shutReason);
        }
    }

    private Map<String, Object> facts(String environment) {
        Map<String, Object> facts = new LinkedHashMap<String, Object>();
        facts.put(BUNDLE, bundle.identity);
        facts.put(MODEL, bundle.sha256);
        facts.put("runtime", classifier.runtimeName());
        facts.put("runtime_version", classifier.runtimeVersion());
        facts.put(ENVIRONMENT, environment);
        return facts;
    }

    private static String verb(SelfTestResult result) {
        return result.status.equals(SelfTestResult.ERROR) ? "broke off" : "failed";
    }
}
