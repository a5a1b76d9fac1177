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
        Reason reason = null;
        boolean broken = false;
        try {
            bundle.checkFiles(assets);
            for (GoldenImage image : bundle.images) {
                SelfTestResult.Image found = runOne(bundle, image, assets, decoder, classifier);
                images.add(found);
                if (reason == null && !found.passed()) {
                    reason = found.reason;
                }
            }
            photos.addAll(PhotoTest.run(bundle, assets, photoDecoders));
            for (PhotoTest.Result photo : photos) {
                if (reason == null && !photo.passed()) {
                    reason = photo.reason;
                }
            }
        } catch (BundleException error) {
            reason = Reason.of(
                    Reason.Kind.BUNDLE_DAMAGED, error.getMessage(), error.getMessage());
        } catch (ClassifierException error) {
            broken = true;
            reason = runtimeFailed(error.getMessage());
        } catch (RuntimeException error) {
            // Runtimes throw these from native code; the app must live to say so.
            broken = true;
            reason = runtimeFailed(error.toString());
        }
        String status = broken ? SelfTestResult.ERROR
                : reason != null ? SelfTestResult.FAILED : SelfTestResult.PASSED;
        return new SelfTestResult(bundle, classifier, status, reason, images, photos);
    }

    private static Reason runtimeFailed(String said) {
        return Reason.of(Reason.Kind.RUNTIME_FAILED, "the runtime failed: " + said, said);
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
                    Reason.of(Reason.Kind.NOT_DECODED,
                            image.file + ": cannot be decoded: " + error.getMessage(),
                            image.file));
        }
        int differing = differingBytes(pixels, wanted);
        float[] logits = classifier.logits(pixels);
        double relative = maxRelative(logits, image);
        return new SelfTestResult.Image(image.file, differing, logits, relative,
                reason(bundle, image, differing, wanted.length, logits, relative));
    }

    private static Reason reason(ModelBundle bundle, GoldenImage image, int differing, int of,
            float[] logits, double relative) {
        if (differing > 0) {
            return Reason.of(Reason.Kind.PIXELS_DIFFER, image.file
                    + ": preprocessing gives other pixels in " + differing + " of " + of
                    + " bytes (" + image.what + ")", image.file, differing, of);
        }
        if (logits.length != image.logits.length) {
            return Reason.of(Reason.Kind.LOGITS_LACK, image.file + ": the model gives "
                    + logits.length + " logits for " + image.logits.length + " classes",
                    image.file, logits.length, image.logits.length);
        }
        if (Double.isNaN(relative) || Double.isInfinite(relative)) {
            return Reason.of(Reason.Kind.NO_NUMBER,
                    image.file + ": the model answers with what is no number", image.file);
        }
        if (!(relative <= bundle.maxRelative)) {
            return Reason.of(Reason.Kind.LOGIT_OFF, String.format(Locale.ROOT,
                    "%s: a logit lies %.3g off, at most %.3g is allowed", image.file, relative,
                    bundle.maxRelative), image.file, relative, bundle.maxRelative);
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
