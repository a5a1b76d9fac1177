package org.hierattn.core;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Why something is refused: a kind with its values, which an app puts into its user's language, and
 * a line of English, for messages and for results that the lab reads.
 */
public final class Reason {
    /** What there is to say; the values that come with it stand beside it. */
    public enum Kind {
        /** Of a file. */
        NOT_A_PICTURE,
        /** Of a picture: damaged, or cut off. */
        DAMAGED,
        /** Of a picture, such as four inks. */
        UNKNOWN_COLOURS,
        /** Megapixels, the most that are read. */
        TOO_MANY_PIXELS,
        /** Pixels in a row, the most that are read. */
        TOO_WIDE,
        /** For a picture. */
        NO_MEMORY,
        /** Megapixels. */
        NO_MEMORY_FOR,
        /** Megapixels. */
        NO_MEMORY_FOR_PROGRESSIVE,
        /** The most megapixels that are read. */
        TRANSPARENT_TOO_LARGE,
        /** The most megabytes that are read. */
        TOO_MANY_BYTES,
        /** By the app that keeps the picture. */
        NOT_GIVEN,
        /** For whatever else. */
        UNREADABLE,
        /** Name of a golden picture, bytes that differ, bytes. */
        PIXELS_DIFFER,
        /** Name of a golden picture. */
        NOT_DECODED,
        /** Name of a golden picture, logits, classes. */
        LOGITS_LACK,
        /** Name of a golden picture. */
        NO_NUMBER,
        /** Name of a golden picture, share of its scale, the most that is allowed. */
        LOGIT_OFF,
        /** Name of a golden photo, way of decoding, levels at most and on average, allowed ones. */
        PHOTO_DIFFERS,
        /** Name of a golden photo, way of decoding. */
        PHOTO_NOT_DECODED,
        /** What the lab calls it. */
        BUNDLE_DAMAGED,
        /** What the runtime says. */
        RUNTIME_FAILED,
        /** For the network. */
        NO_MEMORY_FOR_NETWORK,
        /** Of an earlier self-test, which cannot be deleted. */
        RECORD_STAYS,
        /** The self-test has not passed. */
        NOT_TESTED,
        /** Of a benchmark whose self-test did not pass; its reason. */
        NO_LATENCY,
        /** A result; what the system says. */
        NOT_WRITTEN,
        /** What was asked for by adb; in the lab's words. */
        WRONG_ORDER,
        /** Of a model file: while it was tried. */
        ENDED_THE_APP,
        /** Of a model file, before its trial; what the system says. */
        NO_MARK,
        /** What the system says. */
        UNEXPECTED
    }

    /** What there is to say. */
    public final Kind kind;
    private final String english;
    private final Object[] values;

    private Reason(Kind kind, String english, Object[] values) {
        this.kind = kind;
        this.english = english;
        this.values = values;
    }

    /** A reason with its values: texts, whole numbers, doubles, or another reason. */
    public static Reason of(Kind kind, String english, Object... values) {
        return new Reason(kind, english, values.clone());
    }

    /**
     * Why a model file is not used, by its entry of {@link SelfTestGate#tried}; where that does not
     * tell it in a way that this version knows, its line of English is what the system says.
     */
    public static Reason ofEntry(Map<?, ?> entry) {
        String english = String.valueOf(entry.get("reason"));
        try {
            return ofJson((Map<?, ?>) entry.get("why"), english);
        } catch (RuntimeException unknown) {
            return of(Kind.UNEXPECTED, english, english);
        }
    }

    private static Reason ofJson(Map<?, ?> json, String english) {
        Object[] values = ((List<?>) json.get("values")).toArray();
        for (int place = 0; place < values.length; place++) {
            if (values[place] instanceof Map) {
                Map<?, ?> inner = (Map<?, ?>) values[place];
                values[place] = ofJson(inner, (String) inner.get("english"));
            }
        }
        return new Reason(Kind.valueOf((String) json.get("kind")), english, values);
    }

    /** For JSON that {@link #ofEntry} reads; null where a value is infinite or no number. */
    Map<String, Object> toJson() {
        List<Object> told = new ArrayList<Object>();
        for (Object value : values) {
            Object one = value instanceof Reason ? ((Reason) value).toJson() : value;
            if (one == null || one instanceof Double
                    && (((Double) one).isNaN() || ((Double) one).isInfinite())) {
                return null;
            }
            told.add(one);
        }
        Map<String, Object> json = new LinkedHashMap<String, Object>();
        json.put("kind", kind.name());
        json.put("english", english);
        json.put("values", told);
        return json;
    }

    /** In the order that the kind states. */
    public Object[] values() {
        return values.clone();
    }

    /** The line of English. */
    @Override
    public String toString() {
        return english;
    }
}
