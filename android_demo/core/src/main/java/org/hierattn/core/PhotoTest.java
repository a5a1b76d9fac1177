package org.hierattn.core;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Holds the pixels that a platform's decoder makes of the golden photos against Python's. */
public final class PhotoTest {
    private PhotoTest() {}

    /** One photo, decoded in one way. */
    public static final class Result {
        /** Name of the JPEG. */
        public final String file;
        /** {@link PhotoDecoder#name}. */
        public final String decoder;
        /** Largest difference of a byte, in levels of 255; -1 where it could not be decoded. */
        public final int maxDifference;
        /** Of all bytes; NaN where it could not be decoded. */
        public final double meanDifference;
        /** Why it failed; null where it passed. */
        public final Reason reason;

        Result(String file, String decoder, int maxDifference, double meanDifference,
                Reason reason) {
            this.file = file;
            this.decoder = decoder;
            this.maxDifference = maxDifference;
            this.meanDifference = meanDifference;
            this.reason = reason;
        }

        /** Whether the pixels are near enough. */
        public boolean passed() {
            return reason == null;
        }

        Map<String, Object> toJson() {
            boolean decoded = maxDifference >= 0;
            Map<String, Object> json = new LinkedHashMap<String, Object>();
            json.put("file", file);
            json.put("decoder", decoder);
            json.put("max_difference", decoded ? (Object) maxDifference : null);
            json.put("mean_difference", decoded ? (Object) meanDifference : null);
            json.put("passed", passed());
            return json;
        }
    }

    static List<Result> run(ModelBundle bundle, AssetReader assets, List<PhotoDecoder> decoders)
            throws BundleException {
        List<Result> results = new ArrayList<Result>();
        for (GoldenPhotos.Photo photo : bundle.photos.photos) {
            byte[] jpeg = bundle.read(assets, ModelBundle.SELF_TEST + "/" + photo.file);
            byte[] wanted = bundle.read(assets, ModelBundle.SELF_TEST + "/" + photo.tensor);
            for (PhotoDecoder decoder : decoders) {
                results.add(runOne(bundle.photos, photo, jpeg, wanted, decoder));
            }
        }
        return results;
    }

    private static Result runOne(GoldenPhotos allowed, GoldenPhotos.Photo photo, byte[] jpeg,
            byte[] wanted, PhotoDecoder decoder) {
        byte[] found;
        try {
            found = decoder.toPixels(jpeg);
        } catch (UnreadableImageException error) {
            return broken(photo, decoder, error.getMessage());
        } catch (RuntimeException error) {
            // Platforms' decoders throw these; the app must live to say so.
            return broken(photo, decoder, error.toString());
        }
        if (found.length != wanted.length) {
            return broken(photo, decoder, found.length + " bytes, not " + wanted.length);
        }
        int largest = 0;
        long sum = 0;
        for (int place = 0; place < found.length; place++) {
            int difference = Math.abs((found[place] & 255) - (wanted[place] & 255));
            largest = Math.max(largest, difference);
            sum += difference;
        }
        double mean = (double) sum / found.length;
        Reason reason = null;
        if (largest > allowed.maxDifference || mean > allowed.maxMeanDifference) {
            reason = Reason.of(Reason.Kind.PHOTO_DIFFERS, String.format(Locale.ROOT,
                    "%s: decoded %s, this phone's pixels differ from the "
                            + "lab's by up to %d levels, on average %.2f; allowed are %d and %.2f "
                            + "(%s)",
                    photo.file, decoder.name(), largest, mean, allowed.maxDifference,
                    allowed.maxMeanDifference, photo.what),
                    photo.file, decoder.name(), largest, mean, allowed.maxDifference,
                    allowed.maxMeanDifference);
        }
        return new Result(photo.file, decoder.name(), largest, mean, reason);
    }

    private static Result broken(GoldenPhotos.Photo photo, PhotoDecoder decoder, String why) {
        return new Result(photo.file, decoder.name(), -1, Double.NaN,
                Reason.of(Reason.Kind.PHOTO_NOT_DECODED, photo.file + ": cannot be decoded "
                        + decoder.name() + ": " + why, photo.file, decoder.name()));
    }
}
