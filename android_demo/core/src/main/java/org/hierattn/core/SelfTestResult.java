package org.hierattn.core;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the self-test found; only {@link SelfTest} makes one. */
public final class SelfTestResult {
    /** Pixels and logits are as they should be. */
    public static final String PASSED = "passed";
    /** A file, a pixel or a logit is not. */
    public static final String FAILED = "failed";
    /** The runtime broke down before it could be told. */
    public static final String ERROR = "error";

    /** One golden picture. */
    public static final class Image {
        /** Name of the PNG. */
        public final String file;
        /** How many of the S * S * 3 bytes are not as in Python; 0 is needed. */
        public final int differingBytes;
        /** What the model answered. */
        public final float[] logits;
        /** Largest difference of a logit, as a share of the scale; NaN where a logit is no number. */
        public final double maxRelative;
        /** Why it failed; null where it passed. */
        public final Reason reason;

        Image(String file, int differingBytes, float[] logits, double maxRelative, Reason reason) {
            this.file = file;
            this.differingBytes = differingBytes;
            this.logits = logits;
            this.maxRelative = maxRelative;
            this.reason = reason;
        }

        /** Whether pixels and logits are as they should be. */
        public boolean passed() {
            return reason == null;
        }

        private Map<String, Object> toJson() {
            List<Object> numbers = new ArrayList<Object>();
            for (float logit : logits) {
                numbers.add(finite(logit));
            }
            Map<String, Object> json = new LinkedHashMap<String, Object>();
            json.put("file", file);
            json.put("differing_bytes", differingBytes);
            json.put("logits", numbers);
            json.put("max_relative", finite(maxRelative));
            json.put("passed", passed());
            return json;
        }
    }

    /** {@link #PASSED}, {@link #FAILED} or {@link #ERROR}. */
    public final String status;
    /** One line that says what differs; null where it passed. */
    public final String reason;
    /** The same for a screen; null where it passed. */
    public final Reason why;
    /** Those that were reached. */
    public final List<Image> images;
    /** Golden photos, one entry for each way of decoding; empty where none were tested. */
    public final List<PhotoTest.Result> photos;
    private final ModelBundle bundle;
    private final String runtimeName;
    private final String runtimeVersion;

    SelfTestResult(ModelBundle bundle, Classifier classifier, String status, Reason why,
            List<Image> images, List<PhotoTest.Result> photos) {
        this.bundle = bundle;
        this.status = status;
        this.why = why;
        reason = why == null ? null : why.toString();
        this.images = Collections.unmodifiableList(new ArrayList<Image>(images));
        this.photos =
                Collections.unmodifiableList(new ArrayList<PhotoTest.Result>(photos));
        runtimeName = classifier.runtimeName();
        runtimeVersion = classifier.runtimeVersion();
    }

    /** Whether the model may answer. */
    public boolean passed() {
        return status.equals(PASSED);
    }

    /** The largest over all pictures; NaN where a logit is no number or none was reached. */
    public double maxRelative() {
        double largest = images.isEmpty() ? Double.NaN : 0;
        for (Image image : images) {
            largest = Math.max(largest, image.maxRelative);
        }
        return largest;
    }

    /**
     * For {@link JsonWriter}: schema, status, reason, runtime, artefact, images, photos. The app adds its
     * version, its device and the caller's token. What is no number becomes null.
     */
    public Map<String, Object> toJson() {
        Map<String, Object> runtime = new LinkedHashMap<String, Object>();
        runtime.put("name", runtimeName);
        runtime.put("version", runtimeVersion);
        Map<String, Object> artefact = new LinkedHashMap<String, Object>();
        artefact.put("file", bundle.artefact);
        artefact.put("sha256", bundle.sha256);
        artefact.put("format", bundle.format);
        artefact.put("precision", bundle.precision);
        List<Object> listed = new ArrayList<Object>();
        for (Image image : images) {
            listed.add(image.toJson());
        }
        List<Object> decoded = new ArrayList<Object>();
        for (PhotoTest.Result photo : photos) {
            decoded.add(photo.toJson());
        }
        Map<String, Object> json = new LinkedHashMap<String, Object>();
        json.put("schema", 1);
        json.put("status", status);
        json.put("reason", reason);
        json.put("runtime", runtime);
        json.put("artefact", artefact);
        json.put("images", listed);
        json.put("photos", decoded);
        return json;
    }

    private static Object finite(double value) {
        return Double.isNaN(value) || Double.isInfinite(value) ? null : (Object) value;
    }
}
