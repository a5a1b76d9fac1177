package org.hierattn.demo;

import android.content.Context;
import android.os.SystemClock;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.hierattn.core.BundleException;
import org.hierattn.core.ClassifierException;
import org.hierattn.core.GoldenImage;
import org.hierattn.core.LatencySummary;
import org.hierattn.core.ModelBundle;
import org.hierattn.core.PlainPngDecoder;
import org.hierattn.core.Reason;
import org.hierattn.core.SelfTestGate;
import org.hierattn.core.SelfTestResult;

/**
 * Loads the model anew, times its loading and first run, tests it, warms it up, times its runs.
 *
 * <p>A run is the runtime's own, as on a computer: from floats to logits. The self-test comes before
 * any time is told: a wrong answer has no latency.
 */
final class Benchmark {
    /** Told about once a second. */
    interface Progress {
        void at(int done, int total);
    }

    private static final int MOST_RUNS = 100000;
    private static final int MOST_THREADS = 64;

    private final Context context;
    private final Engine engine;
    private final int runs;
    private final int warmup;
    private final int threads;
    private final int file;
    private int files = 1;

    /**
     * What to measure.
     *
     * @param file which of the bundle's model files, from 0; below 0 the one in use on this phone
     */
    Benchmark(Context context, Engine engine, int runs, int warmup, int threads, int file) {
        this.context = context;
        this.engine = engine;
        this.runs = runs;
        this.warmup = warmup;
        this.threads = threads;
        this.file = file;
    }

    /**
     * Measure; on the engine's thread.
     *
     * @return the result as benchmark-TOKEN.json has it, an error too
     */
    Outcome run(String token, Progress progress) {
        TimedClassifier classifier = null;
        ModelBundle bundle = null;
        try {
            List<ModelBundle> all = engine.loadBundle().withEachModel();
            files = all.size();
            String wrong = wrongOrder();
            if (wrong != null) {
                return error(token, Reason.of(Reason.Kind.WRONG_ORDER, wrong, wrong), null, null);
            }
            bundle = file < 0 ? engine.bundle() : all.get(file);
            byte[] model = bundle.readModel(engine.assets);
            byte[] pixels = pixels(bundle);
            boolean fresh = !engine.runtimeUsed();
            String before = Device.thermal(context);
            long began = System.nanoTime();
            classifier = engine.open(bundle, model, threads);
            double loadMs = milliseconds(System.nanoTime() - began);
            classifier.logits(pixels);
            double firstMs = milliseconds(classifier.lastRunNanos());
            SelfTestResult test = new SelfTestGate(bundle, classifier)
                    .test(engine.assets, new PlainPngDecoder());
            if (!test.passed()) {
                return error(token, Reason.of(Reason.Kind.NO_LATENCY,
                        "the self-test did not pass, so there is no latency: " + test.reason,
                        test.why), bundle, classifier);
            }
            double[] whole = new double[runs];
            double[] latencies = measure(classifier, pixels, whole, progress);
            Map<String, Object> json =
                    Report.head(context, token, "done", null, bundle, classifier);
            json.put("files", files);
            json.put("threads", threads);
            json.put("warmup", warmup);
            json.put("runs", runs);
            json.put("fresh_process", fresh);
            json.put("load_ms", loadMs);
            json.put("first_ms", firstMs);
            json.put("latencies_ms", latencies);
            json.putAll(new LatencySummary(latencies).toJson());
            json.put("bytes_to_logits_p50_ms", new LatencySummary(whole).p50);
            json.put("peak_rss_mb", Device.peakMemoryMb());
            json.put("thermal", thermal(before, Device.thermal(context)));
            json.put("battery", Device.battery(context));
            json.put("selftest", selfTest(test));
            return new Outcome(json, null);
        } catch (BundleException error) {
            return error(token, Reasons.of(error), bundle, classifier);
        } catch (ClassifierException error) {
            return error(token, Reasons.of(error), bundle, classifier);
        } catch (OutOfMemoryError error) {
            return error(token, Reasons.of(error), bundle, classifier);
        } catch (RuntimeException error) {
            return error(token, Reasons.of(error), bundle, classifier);
        } finally {
            if (classifier != null) {
                classifier.close();
            }
        }
    }

    private String wrongOrder() {
        if (runs < 1 || runs > MOST_RUNS) {
            return "runs: 1 to " + MOST_RUNS + " are needed, not " + runs;
        }
        if (warmup < 0 || warmup > MOST_RUNS) {
            return "warmup: 0 to " + MOST_RUNS + " are needed, not " + warmup;
        }
        if (threads < 1 || threads > MOST_THREADS) {
            return "threads: 1 to " + MOST_THREADS + " are needed, not " + threads;
        }
        if (file >= files) {
            return "file: the bundle has " + files + ", counted from 0";
        }
        return null;
    }

    /** A golden picture, so that the numbers flowing through the network are ordinary ones. */
    private byte[] pixels(ModelBundle bundle) throws BundleException {
        GoldenImage image = bundle.images.get(0);
        return bundle.read(engine.assets, ModelBundle.SELF_TEST + "/" + image.tensor);
    }

    private double[] measure(TimedClassifier classifier, byte[] pixels, double[] whole,
            Progress progress) throws ClassifierException {
        double[] latencies = new double[runs];
        long told = 0;
        for (int run = -warmup; run < runs; run++) {
            if (SystemClock.elapsedRealtime() - told > 1000) {
                told = SystemClock.elapsedRealtime();
                progress.at(run + warmup, runs + warmup);
            }
            long began = System.nanoTime();
            classifier.logits(pixels);
            long took = System.nanoTime() - began;
            if (run >= 0) {
                latencies[run] = milliseconds(classifier.lastRunNanos());
                whole[run] = milliseconds(took);
            }
        }
        return latencies;
    }

    private static Map<String, Object> thermal(String before, String after) {
        Map<String, Object> json = new LinkedHashMap<String, Object>();
        json.put("before", before);
        json.put("after", after);
        return json;
    }

    private static Map<String, Object> selfTest(SelfTestResult test) {
        Map<String, Object> json = new LinkedHashMap<String, Object>();
        json.put("status", test.status);
        json.put("max_relative", test.maxRelative());
        return json;
    }

    /** The same fields, so that a reader finds each; those without a figure are null. */
    private Outcome error(String token, Reason reason, ModelBundle bundle,
            TimedClassifier classifier) {
        ModelBundle known = bundle == null ? engine.bundle() : bundle;
        Map<String, Object> json = Report.head(
                context, token, Report.ERROR, reason.toString(), known, classifier);
        json.put("files", files);
        json.put("threads", threads);
        json.put("warmup", warmup);
        json.put("runs", runs);
        for (String absent : Arrays.asList("load_ms", "first_ms", "latencies_ms", "p50_ms",
                "p90_ms", "p99_ms", "mean_ms", "peak_rss_mb", "selftest")) {
            json.put(absent, null);
        }
        json.put("thermal", thermal(null, Device.thermal(context)));
        json.put("battery", Device.battery(context));
        return new Outcome(json, reason);
    }

    private static double milliseconds(long nanoseconds) {
        return nanoseconds / 1e6;
    }
}
