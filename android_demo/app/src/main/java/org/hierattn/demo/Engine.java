package org.hierattn.demo;

import android.content.Context;
import android.os.Handler;
import android.os.Looper;
import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.hierattn.core.AssetReader;
import org.hierattn.core.BundleException;
import org.hierattn.core.ClassifierException;
import org.hierattn.core.ModelBundle;
import org.hierattn.core.ModelChoice;
import org.hierattn.core.PlainPngDecoder;
import org.hierattn.core.Reason;
import org.hierattn.core.SelfTestGate;
import org.hierattn.core.SelfTestResult;

/**
 * The one network of this process, behind its self-test gate, and the one thread that uses it.
 *
 * <p>Everything heavy runs on that thread, one task after the other, so that a benchmark never
 * measures beside a classification.
 */
final class Engine {
    /** Where the network stands. */
    enum State {
        /** Its files are being read. */
        LOADING,
        /** The self-test runs. */
        TESTING,
        /** It answers. */
        READY,
        /** The self-test failed: it does not answer. */
        REFUSED,
        /** It could not even be loaded or tested. */
        BROKEN
    }

    private static Engine instance;

    final AssetReader assets;
    private final Context context;
    private final ExecutorService thread = Executors.newSingleThreadExecutor();
    private final Handler screen = new Handler(Looper.getMainLooper());
    private volatile State state = State.LOADING;
    private volatile Reason reason;
    /** As it was read. */
    private volatile ModelBundle whole;
    /** With the model file that this phone uses. */
    private volatile ModelBundle bundle;
    private volatile TimedClassifier classifier;
    private volatile SelfTestGate gate;
    private volatile boolean runtimeUsed;
    private boolean prepared;
    /** Touched on the main thread only. */
    private final Listeners listeners = new Listeners();

    private Engine(Context context) {
        this.context = context;
        assets = new AssetFolder(context.getAssets());
    }

    static synchronized Engine of(Context context) {
        if (instance == null) {
            instance = new Engine(context.getApplicationContext());
        }
        return instance;
    }

    /** As many threads as help on most phones. */
    static int defaultThreads() {
        return Math.min(4, java.lang.Runtime.getRuntime().availableProcessors());
    }

    State state() {
        return state;
    }

    /** Why it does not answer; null where it does. */
    Reason reason() {
        return reason;
    }

    /** With the model file in use; null before it was read, or where it could not be. */
    ModelBundle bundle() {
        return bundle;
    }

    /** The model behind its gate; null where it could not be loaded. */
    SelfTestGate gate() {
        return gate;
    }

    /** The model's runtime, for its name and version; null where it could not be loaded. */
    TimedClassifier classifier() {
        return classifier;
    }

    /** The model files that this phone was tried with; empty where the bundle has one. */
    List<?> tried() {
        SelfTestGate open = gate;
        return open == null ? Collections.emptyList() : open.tried();
    }

    /** Whether this process has loaded a model before: a second loading is quicker. */
    boolean runtimeUsed() {
        return runtimeUsed;
    }

    /** Be told of changes, on the main thread, until {@link #ignore}. */
    void listen(Runnable listener) {
        listeners.add(listener);
    }

    /** Leave a listener alone from now on; others, such as a second window's, stay. */
    void ignore(Runnable listener) {
        listeners.remove(listener);
    }

    /** Whether a screen is still shown that wants to be told. */
    boolean isListenedTo() {
        return !listeners.isEmpty();
    }

    /** Run a task on the engine's thread. */
    void run(Runnable task) {
        thread.execute(task);
    }

    /** Run something on the main thread. */
    void onScreen(Runnable task) {
        screen.post(task);
    }

    /** Load the network once, and test it if this very one has not passed on this phone yet. */
    void prepare() {
        synchronized (this) {
            if (prepared) {
                return;
            }
            prepared = true;
        }
        run(new Runnable() {
            @Override
            public void run() {
                try {
                    resumeOrTest();
                } catch (OutOfMemoryError error) {
                    set(State.BROKEN, Reasons.of(error));
                } catch (RuntimeException error) {
                    // Runtimes throw these from native code; the app must live to say so.
                    set(State.BROKEN, Reasons.of(error));
                }
            }
        });
    }

    private void resumeOrTest() {
        if (resume()) {
            set(State.READY, null);
        } else {
            write("last", test("last").result);
        }
    }

    /** Whether an earlier self-test still counts; what is wrong, the test says. */
    private boolean resume() {
        try {
            String record = record().read();
            if (record == null) {
                return false;
            }
            ModelBundle known = ModelChoice.remembered(loadBundle(), record, environment());
            if (known == null) {
                return false;
            }
            bundle = known;
            classifier = open(bundle, defaultThreads());
            gate = new SelfTestGate(bundle, classifier);
            return gate.resume(assets, record, environment());
        } catch (BundleException error) {
            return false;
        } catch (ClassifierException error) {
            return false;
        }
    }

    /** Read bundle.json, as it is whatever this phone uses; on the engine's thread. */
    ModelBundle loadBundle() throws BundleException {
        if (whole == null) {
            ModelBundle read = ModelBundle.load(assets);
            if (!read.format.equals(Runtime.FORMAT)) {
                throw new BundleException(ModelBundle.FILE + ": field 'format': this app runs "
                        + Runtime.FORMAT + ", not " + read.format
                        + "; bundle another file or build the other flavour");
            }
            whole = read;
            bundle = read;
        }
        return whole;
    }

    /** Open a bundle's model anew; on the engine's thread. The caller closes it. */
    TimedClassifier open(ModelBundle from, int threads)
            throws BundleException, ClassifierException {
        return open(from, from.readModel(assets), threads);
    }

    /** As above, with the model's bytes at hand. */
    TimedClassifier open(ModelBundle from, byte[] model, int threads) throws ClassifierException {
        try {
            return Runtime.open(model, from, threads);
        } finally {
            runtimeUsed = true;
        }
    }

    /** Give up the model in use, if any. */
    private void close() {
        if (gate != null) {
            gate.close();
            gate = null;
            classifier = null;
        }
    }

    /**
     * Choose among the bundle's model files by self-test and time; on the engine's thread.
     *
     * @param token of the result
     * @return the result as selftest-TOKEN.json has it
     */
    Outcome test(String token) {
        set(State.TESTING, null);
        try {
            ModelBundle read = loadBundle();
            close();
            ModelChoice<TimedClassifier> choice = ModelChoice.make(read, assets,
                    new PlainPngDecoder(), PlatformDecoder.bothWays(read.preprocessing),
                    environment(), record(), mark(), new ModelChoice.Opener<TimedClassifier>() {
                        @Override
                        public TimedClassifier open(ModelBundle one)
                                throws BundleException, ClassifierException {
                            return Engine.this.open(one, defaultThreads());
                        }
                    }, ModelChoice.SYSTEM);
            bundle = choice.bundle;
            classifier = choice.classifier;
            gate = choice.gate;
            SelfTestResult result = choice.result;
            set(result.passed() ? State.READY : State.REFUSED, result.why);
            Map<String, Object> json = Report.head(
                    context, token, result.status, result.reason, bundle, classifier);
            json.put("images", result.toJson().get("images"));
            json.put("photos", result.toJson().get("photos"));
            json.put("tried", tried());
            return new Outcome(json, result.why);
        } catch (IOException recordStays) {
            set(State.BROKEN, Reason.of(Reason.Kind.RECORD_STAYS, recordStays.getMessage()));
        } catch (BundleException error) {
            set(State.BROKEN, Reasons.of(error));
        } catch (ClassifierException error) {
            set(State.BROKEN, Reasons.of(error));
        } catch (OutOfMemoryError error) {
            set(State.BROKEN, Reasons.of(error));
        } catch (RuntimeException error) {
            // Runtimes throw these from native code; the app must live to say so.
            set(State.BROKEN, Reasons.of(error));
        }
        return failure(token);
    }

    /** The result where there was no test; the reason is the state's. */
    private Outcome failure(String token) {
        Map<String, Object> json =
                Report.head(context, token, Report.ERROR, reason.toString(), bundle, null);
        json.put("images", new ArrayList<Object>());
        return new Outcome(json, reason);
    }

    /** The self-test that the app ran by itself, for whoever looks into its files. */
    private void write(String token, Map<String, Object> json) {
        try {
            new ResultFile(context.getExternalFilesDir(null), "selftest", token).write(json);
        } catch (IOException storageAway) {
            // The screen says what the file would have said.
            return;
        }
    }

    private String environment() {
        return Report.environment(context);
    }

    /** In the app's private files, which no backup takes: no other app can forge it. */
    private RecordFile record() {
        return new RecordFile(new File(context.getNoBackupFilesDir(), "selftest-record.json"));
    }

    /** Beside the record: the model file that is being tried. */
    private RecordFile mark() {
        return new RecordFile(new File(context.getNoBackupFilesDir(), "trial-mark.json"));
    }

    /** Tell the listeners that something changed; from any thread. */
    void tell() {
        screen.post(new Runnable() {
            @Override
            public void run() {
                listeners.tell();
            }
        });
    }

    private void set(State newState, Reason newReason) {
        reason = newReason;
        state = newState;
        tell();
    }
}
