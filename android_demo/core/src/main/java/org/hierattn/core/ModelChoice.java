package org.hierattn.core;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Which of a bundle's model files this device uses: of those that pass the self-test on it, the one
 * with the smallest median time.
 *
 * <p>A file in half precision is faster where a processor computes in it, and may be wrong there.
 * An app chooses at its first launch and after every change; {@link #remembered} tells later
 * launches which file the record of the self-test is of. Every file tried has its own gate.
 */
public final class ModelChoice<C extends Classifier> {
    /** Opens the model of a bundle in the app's runtime. */
    public interface Opener<C extends Classifier> {
        /**
         * Open it.
         *
         * @throws BundleException the file is missing, or not the one that was bundled
         * @throws ClassifierException the runtime does not take it
         */
        C open(ModelBundle bundle) throws BundleException, ClassifierException;
    }

    /** Tells the time; {@link System#nanoTime} outside of tests. */
    public interface Clock {
        /** Nanoseconds since some moment. */
        long nanos();
    }

    /** Of this device. */
    public static final Clock SYSTEM = new Clock() {
        @Override
        public long nanos() {
            return System.nanoTime();
        }
    };

    /** Runs of each file that are not counted, and those that are, in turns. */
    public static final int WARM_UP = 5, RUNS = 25;

    private static final class Candidate<C extends Classifier> {
        final ModelBundle bundle;
        C classifier;
        SelfTestGate gate;
        SelfTestResult result;
        /** Why it cannot be used; null where it can. */
        Reason reason;
        /** Median; null where nothing was measured. */
        Double milliseconds;

        Candidate(ModelBundle bundle) {
            this.bundle = bundle;
        }
    }

    /** The bundle with the chosen file; where none passed, with the last one tried. */
    public final ModelBundle bundle;
    /** Its model. */
    public final C classifier;
    /** Open if the self-test passed. */
    public final SelfTestGate gate;
    /** What the self-test found. */
    public final SelfTestResult result;

    private ModelChoice(Candidate<C> chosen) {
        bundle = chosen.bundle;
        classifier = chosen.classifier;
        gate = chosen.gate;
        result = chosen.result;
    }

    /**
     * The bundle with the file that a record is of; null where the record is of another bundle or
     * environment, so that no file is opened which a test would have to try first.
     */
    public static ModelBundle remembered(ModelBundle bundle, String record, String environment) {
        try {
            Object parsed = record == null ? null : Json.parse(record);
            Map<?, ?> kept = parsed instanceof Map ? (Map<?, ?>) parsed : Collections.emptyMap();
            if (bundle.identity.equals(kept.get(SelfTestGate.BUNDLE))
                    && environment.equals(kept.get(SelfTestGate.ENVIRONMENT))) {
                for (ModelBundle one : bundle.withEachModel()) {
                    if (one.sha256.equals(kept.get(SelfTestGate.MODEL))) {
                        return one;
                    }
                }
            }
            return null;
        } catch (JsonException damaged) {
            return null;
        }
    }

    /**
     * Test every file, time those that passed, keep the record. The old record is deleted first.
     * Where there are two files, the first is marked while it is tried: an app that ended meanwhile
     * passes it over at its next launch.
     *
     * @param photoDecoders all ways in which the app decodes JPEG photos
     * @param environment as in {@link SelfTestGate#record}
     * @param store of the record
     * @param markStore of the mark: another one
     * @throws IOException the old record cannot be deleted; nothing was tested
     * @throws BundleException a model file is missing or another
     * @throws ClassifierException the runtime takes no file
     */
    public static <C extends Classifier> ModelChoice<C> make(ModelBundle bundle,
            AssetReader assets, PngDecoder decoder, List<PhotoDecoder> photoDecoders,
            String environment, RecordStore store, RecordStore markStore, Opener<C> opener,
            Clock clock) throws IOException, BundleException, ClassifierException {
        SelfTestGate.delete(store);
        boolean alone = bundle.fallback == null;
        TrialMark mark = new TrialMark(bundle, environment, markStore);
        Reason barred = alone ? null : barred(mark);
        List<Candidate<C>> all = new ArrayList<Candidate<C>>();
        Candidate<C> chosen = null;
        try {
            for (ModelBundle one : bundle.withEachModel()) {
                Candidate<C> next = new Candidate<C>(one);
                next.reason = all.isEmpty() ? barred : null;
                all.add(next);
                if (next.reason == null) {
                    tryOut(next, assets, decoder, photoDecoders, opener, alone);
                }
            }
            List<Candidate<C>> passed = passed(all);
            if (!alone) {
                time(passed, assets, clock);
                passed = passed(all);
            }
            chosen = fastest(passed.isEmpty() ? tested(all) : passed, !passed.isEmpty());
        } finally {
            if (!alone && barred == null) {
                mark.remove();
            }
            for (Candidate<C> one : all) {
                if (one != chosen && one.gate != null) {
                    one.gate.close();
                }
            }
        }
        if (!alone) {
            chosen.gate.setTried(toJson(all, chosen));
        }
        chosen.gate.keep(environment, store);
        return new ModelChoice<C>(chosen);
    }

    /** Set the mark; why the first file must not be tried, null where it may. */
    private static Reason barred(TrialMark mark) {
        if (mark.isLeft()) {
            return Reason.of(Reason.Kind.ENDED_THE_APP,
                    "the app ended while this file was tried, a crash or a kill");
        }
        try {
            mark.set();
            return null;
        } catch (IOException notKept) {
            String told = String.valueOf(notKept.getMessage());
            return Reason.of(Reason.Kind.NO_MARK, "no mark of its trial can be kept: " + told, told);
        }
    }

    private static <C extends Classifier> void tryOut(Candidate<C> one, AssetReader assets,
            PngDecoder decoder, List<PhotoDecoder> photoDecoders, Opener<C> opener, boolean alone)
            throws BundleException, ClassifierException {
        try {
            one.classifier = opener.open(one.bundle);
        } catch (ClassifierException error) {
            if (alone) {
                throw error;
            }
            one.reason = failed(error);
            return;
        }
        one.gate = new SelfTestGate(one.bundle, one.classifier);
        one.result = one.gate.test(assets, decoder, photoDecoders);
        one.reason = one.result.why;
    }

    private static Reason failed(ClassifierException error) {
        String told = String.valueOf(error.getMessage());
        return Reason.of(Reason.Kind.RUNTIME_FAILED, told, told);
    }

    private static <C extends Classifier> List<Candidate<C>> passed(List<Candidate<C>> all) {
        List<Candidate<C>> passed = new ArrayList<Candidate<C>>();
        for (Candidate<C> one : all) {
            if (one.gate != null && one.reason == null) {
                passed.add(one);
            }
        }
        return passed;
    }

    /** Those that opened; at least one. */
    private static <C extends Classifier> List<Candidate<C>> tested(List<Candidate<C>> all)
            throws ClassifierException {
        List<Candidate<C>> tested = new ArrayList<Candidate<C>>();
        Reason reason = null;
        for (Candidate<C> one : all) {
            reason = one.reason;
            if (one.gate != null) {
                tested.add(one);
            }
        }
        if (tested.isEmpty()) {
            throw new ClassifierException(String.valueOf(reason));
        }
        return tested;
    }

    /** In turns, so that a phone that warms up slows all alike; what fails is no candidate. */
    private static <C extends Classifier> void time(List<Candidate<C>> passed, AssetReader assets,
            Clock clock) throws BundleException {
        double[][] milliseconds = new double[passed.size()][RUNS];
        for (int run = -WARM_UP; run < RUNS; run++) {
            for (int place = 0; place < passed.size(); place++) {
                Candidate<C> one = passed.get(place);
                if (one.gate == null) {
                    continue;
                }
                byte[] pixels = one.bundle.read(assets,
                        ModelBundle.SELF_TEST + "/" + one.bundle.images.get(0).tensor);
                try {
                    long began = clock.nanos();
                    one.classifier.logits(pixels);
                    milliseconds[place][Math.max(run, 0)] = (clock.nanos() - began) / 1e6;
                } catch (ClassifierException error) {
                    one.reason = failed(error);
                    one.gate.close();
                    one.gate = null;
                }
            }
        }
        for (int place = 0; place < passed.size(); place++) {
            if (passed.get(place).gate != null) {
                passed.get(place).milliseconds = new LatencySummary(milliseconds[place]).p50;
            }
        }
    }

    /** The fastest; where none passed, the last, whose arithmetic is the plainest. */
    private static <C extends Classifier> Candidate<C> fastest(
            List<Candidate<C>> candidates, boolean passed) {
        Candidate<C> best = candidates.get(passed ? 0 : candidates.size() - 1);
        for (Candidate<C> one : candidates) {
            if (passed && one.milliseconds != null && one.milliseconds < best.milliseconds) {
                best = one;
            }
        }
        return best;
    }

    private static <C extends Classifier> List<Object> toJson(
            List<Candidate<C>> all, Candidate<C> chosen) {
        List<Object> listed = new ArrayList<Object>();
        for (Candidate<C> one : all) {
            Map<String, Object> json = new LinkedHashMap<String, Object>();
            json.put("file", one.bundle.artefact);
            json.put("precision", one.bundle.precision);
            json.put("chosen", one == chosen && one.reason == null);
            json.put("reason", one.reason == null ? null : one.reason.toString());
            json.put("why", one.reason == null ? null : one.reason.toJson());
            json.put("p50_ms", one.milliseconds);
            listed.add(json);
        }
        return Collections.unmodifiableList(listed);
    }
}
