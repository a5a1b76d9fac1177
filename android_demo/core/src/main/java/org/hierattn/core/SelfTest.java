package org.hierattn.core;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

/**
 * Shows that this device, with this runtime and this code, answers as the lab did.
 *
 * <p>Every file of the bundle must have its sha256; every golden picture must become its stored
 * tensor, byte for byte; and the model must answer it with the stored logits, each within
 * max_relative times the picture's scale. Where the bundle has golden photos, every way in which the
 * platform decodes photos must make pixels of them that are near enough to the lab's.
 */
public final class SelfTest {
    private SelfTest() {}

    /** As below, without a platform's decoder: of photos the result then says nothing. */
    public static SelfTestResult run(
            ModelBundle bundle, AssetReader assets, PngDecoder decoder, Classifier classifier) {
        return run(bundle, assets, decoder, Collections.<PhotoDecoder>emptyList(), classifier);
    }

    /**
     * Run it; nothing is thrown for what goes wrong, the result says it.
     *
     * @param bundle what the assets should hold
     * @param assets the bundle's files
     * @param decoder the one that the app uses for PNG
     * @param photoDecoders all ways in which the app decodes JPEG photos
     * @param classifier made from the bundle's model
     */
    public static SelfTestResult run(ModelBundle bundle, AssetReader assets, PngDecoder decoder,
            List<PhotoDecoder> photoDecoders, Classifier classifier) {
        List<PhotoTest.Result> photos = new ArrayList<PhotoTest.Result>();
        List<SelfTestResult.Image> images = new ArrayList<SelfTestResult.Image>();
        String reason = null;
        String broken = null;
        try {
            bundle.checkFiles(assets);
            for (GoldenImage image : bundle.images) {
                SelfTestResult.Image found = runOne(bundle, image, assets, decoder, classifier);
                images.add(found);
                if (reason == null && !found.passed()) {
                    reason = image.file + ": " + found.reason;
                }
            }
            photos.addAll(PhotoTest.run(bundle, assets, photoDecoders));
            for (PhotoTest.Result photo : photos) {
                if (reason == null && !photo.passed()) {
                    reason = photo.file + ": " + photo.reason;
                }
            }
        } catch (BundleException error) {
            reason = error.getMessage();
        } catch (ClassifierException error) {
            broken = "the runtime failed: " + error.getMessage();
        } catch (RuntimeException error) {
            // Runtimes throw these from native code; the app must live to say so.
            broken = "the runtime failed: " + error;
        }
        String status = broken != null ? SelfTestResult.ERROR
                : reason != null ? SelfTestResult.FAILED : SelfTestResult.PASSED;
        return new SelfTestResult(
                bundle, classifier, status, broken != null ? broken : reason, images, photos);
    }

    private static SelfTestResult.Image runOne(ModelBundle bundle, GoldenImage image,
            AssetReader assets, PngDecoder decoder, Classifier classifier)
            throws BundleException, ClassifierException {
        byte[] png = bundle.read(assets, ModelBundle.SELF_TEST + "/" + image.file);
        byte[] wanted = bundle.read(assets, ModelBundle.SELF_TEST + "/" + image.tensor);
        byte[] pixels;
        try {
            RgbImage stored = decoder.decode(png);
            pixels = new Preprocessor(bundle.preprocessing)
                    .toPixels(stored, ExifReader.orientation(png));
        } catch (UnreadableImageException error) {
            return new SelfTestResult.Image(image.file, wanted.length, new float[0], Double.NaN,
                    "cannot be decoded: " + error.getMessage());
        }
        int differing = differingBytes(pixels, wanted);
        float[] logits = classifier.logits(pixels);
        double relative = maxRelative(logits, image);
        return new SelfTestResult.Image(image.file, differing, logits, relative,
                reason(bundle, image, differing, wanted.length, logits, relative));
    }

    private static String reason(ModelBundle bundle, GoldenImage image, int differing, int of,
            float[] logits, double relative) {
        if (differing > 0) {
            return "preprocessing gives other pixels in " + differing + " of " + of + " bytes ("
                    + image.what + ")";
        }
        if (logits.length != image.logits.length) {
            return "the model gives " + logits.length + " logits for " + image.logits.length
                    + " classes";
        }
        if (Double.isNaN(relative) || Double.isInfinite(relative)) {
            return "the model answers with what is no number";
        }
        if (!(relative <= bundle.maxRelative)) {
            return String.format(Locale.ROOT, "a logit lies %.3g off, at most %.3g is allowed",
                    relative, bundle.maxRelative);
        }
        return null;
    }

    private static int differingBytes(byte[] found, byte[] wanted) {
        int differing = Math.abs(found.length - wanted.length);
        for (int place = 0; place < Math.min(found.length, wanted.length); place++) {
            if (found[place] != wanted[place]) {
                differing++;
            }
        }
        return differing;
    }

    /** The largest difference as a share of the scale; NaN where a logit is NaN or missing. */
    private static double maxRelative(float[] logits, GoldenImage image) {
        if (logits.length != image.logits.length) {
            return Double.NaN;
        }
        double largest = 0;
        for (int index = 0; index < logits.length; index++) {
            // Math.max hands on a NaN.
            largest = Math.max(largest, Math.abs(logits[index] - image.logits[index]) / image.scale);
        }
        return largest;
    }
}
