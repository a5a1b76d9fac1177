package org.hierattn.core;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What {@code hierattn bundle} put into the app: bundle.json, read and checked.
 *
 * <p>Since bundle.json holds the sha256 of every other file, its own sha256 stands for all of them:
 * {@link #identity}.
 */
public final class ModelBundle {
    /** Name of the file that describes the others. */
    public static final String FILE = "bundle.json";
    /** Name of the file of class names, one a line. */
    public static final String LABELS = "labels.txt";
    /** Folder of the golden images. */
    public static final String SELF_TEST = "selftest";

    /** sha256 of bundle.json itself. */
    public final String identity;
    /** Name of the network. */
    public final String model;
    /** "onnx" or "tflite". */
    public final String format;
    /** "fp32", "fp16" or "int8". */
    public final String precision;
    /** File name of the model. */
    public final String artefact;
    /** Of the model's file. */
    public final String sha256;
    /** Size of the model's file. */
    public final long bytes;
    /** Of the weights it was exported from. */
    public final String weightsSha256;
    /** In the order of the logits. */
    public final List<String> classes;
    /** Side of the square input, pixels. */
    public final int imageSize;
    /** Name of the input tensor. */
    public final String inputName;
    /** Order of its floats. */
    public final Preprocessor.Layout layout;
    /** Name of the output tensor, one logit a class. */
    public final String outputName;
    /** From a photo to the input. */
    public final PreprocessSpec preprocessing;
    /** From logits to the answer. */
    public final OperatingPoint operatingPoint;
    /** Whether the file passed its gate when it was exported; if not, the app must say so. */
    public final boolean verified;
    /** "passed", "failed" or "not run". */
    public final String gateStatus;
    /** Why it did not pass. */
    public final List<String> gateReasons;
    /** Of the photos behind the weights. */
    public final String licence;
    /** To be shown in the app. */
    public final String intendedUse;
    /** Whose logits the self-test holds: "torch", or "export" for the file's own first answers. */
    public final String reference;
    /** Largest difference of a logit, as a share of its picture's scale. */
    public final double maxRelative;
    /** At least one. */
    public final List<GoldenImage> images;
    /** JPEG photos for the platform's decoder; none in one of an earlier version. */
    public final GoldenPhotos photos;
    /** sha256 of every other file of the bundle, by its path. */
    public final Map<String, String> files;
    /**
     * The same bundle with its second model file, for a device on which the first errs or is slower;
     * null where there is none. {@link ModelChoice} chooses.
     */
    public final ModelBundle fallback;

    /**
     * Read bundle.json and check that it fits together; no other file is read.
     *
     * @throws BundleException names the file or field
     */
    public static ModelBundle load(AssetReader assets) throws BundleException {
        return new ModelBundle(bytesOf(assets, FILE));
    }

    /**
     * As {@link #load}, from the bytes of bundle.json.
     *
     * @throws BundleException names the field
     */
    public ModelBundle(byte[] json) throws BundleException {
        this(json, false);
    }

    /** With the model file of the field 'fallback', where {@code second}. */
    private ModelBundle(byte[] json, boolean second) throws BundleException {
        Fields top;
        try {
            top = new Fields(Json.parse(json), FILE);
        } catch (JsonException error) {
            throw new BundleException(FILE + ": " + error.getMessage(), error);
        }
        identity = Sha256.of(json);
        top.whole("schema", 1, 1);
        model = top.text("model");
        format = oneOf(top, "format", "onnx", "tflite");
        Fields file = second ? top.object("fallback") : top;
        precision = oneOf(file, "precision", "fp32", "fp16", "int8");
        artefact = file.text("artefact");
        sha256 = file.sha256("sha256");
        bytes = file.whole("bytes", 1, Integer.MAX_VALUE);
        weightsSha256 = top.text("weights_sha256");
        classes = classesOf(top);
        preprocessing = PreprocessSpec.parse(top.object("preprocessing"));
        imageSize = (int) top.whole("image_size", preprocessing.imageSize, preprocessing.imageSize);
        Fields input = top.object("input");
        inputName = input.text("name");
        layout = Preprocessor.Layout.valueOf(oneOf(input, "layout", "NCHW", "NHWC"));
        outputName = top.object("output").text("name");
        operatingPoint = OperatingPoint.parse(top.object("operating_point"), classes);
        Fields gate = top.object("gate");
        gateStatus = oneOf(gate, "status", "passed", "failed", "not run");
        gateReasons = Collections.unmodifiableList(gate.texts("reasons"));
        verified = top.truth("verified");
        if (verified != gateStatus.equals("passed")) {
            throw top.wrong("verified", "the gate's status says otherwise");
        }
        licence = top.text("licence");
        intendedUse = top.text("intended_use");
        Fields selfTest = top.object(SELF_TEST);
        reference = oneOf(selfTest, "reference", "torch", "export");
        Fields bound = second ? file : selfTest;
        maxRelative = bound.number("max_relative");
        if (!(maxRelative > 0)) {
            throw bound.wrong("max_relative", "more than 0 is needed");
        }
        images = imagesOf(selfTest, classes.size());
        photos = GoldenPhotos.parse(selfTest);
        files = filesOf(top.object("files"));
        checkListed(top);
        boolean one = second || !top.names().contains("fallback") || top.isNull("fallback");
        fallback = one ? null : new ModelBundle(json, true);
    }

    /** The bundle with each of its model files, the preferred one first. */
    public List<ModelBundle> withEachModel() {
        List<ModelBundle> all = new ArrayList<ModelBundle>();
        all.add(this);
        if (fallback != null) {
            all.add(fallback);
        }
        return Collections.unmodifiableList(all);
    }

    /**
     * Read a file of the bundle and hold it against its sha256.
     *
     * @param path as in {@link #files}
     * @throws BundleException missing, or not the file that was bundled
     */
    public byte[] read(AssetReader assets, String path) throws BundleException {
        String wanted = files.get(path);
        if (wanted == null) {
            throw new BundleException(FILE + ": no file " + path + "; bundle again");
        }
        byte[] content = bytesOf(assets, path);
        if (!Sha256.of(content).equals(wanted)) {
            throw new BundleException(path + ": not the file that was bundled (sha256 differs); "
                    + "bundle again");
        }
        return content;
    }

    /**
     * Read the model, checked.
     *
     * @throws BundleException missing, or not the file that was bundled
     */
    public byte[] readModel(AssetReader assets) throws BundleException {
        return read(assets, artefact);
    }

    /**
     * Read every file of the bundle once and hold it against its sha256.
     *
     * @throws BundleException names the first file that is missing or another
     */
    public void checkFiles(AssetReader assets) throws BundleException {
        for (String path : files.keySet()) {
            byte[] content = read(assets, path);
            if (path.equals(LABELS)) {
                checkLabels(content);
            }
            if (path.equals(artefact) && content.length != bytes) {
                throw new BundleException(FILE + ": field 'bytes': the model has " + content.length);
            }
        }
    }

    private void checkLabels(byte[] content) throws BundleException {
        StringBuilder wanted = new StringBuilder();
        for (String label : classes) {
            wanted.append(label).append('\n');
        }
        if (!wanted.toString().equals(new String(content, StandardCharsets.UTF_8))) {
            throw new BundleException(LABELS + ": not the classes of " + FILE + "; bundle again");
        }
    }

    /** Every file that fields name must be in the list, under the same sha256. */
    private void checkListed(Fields top) throws BundleException {
        checkListed(top, artefact, sha256);
        if (!files.containsKey(LABELS)) {
            throw top.wrong("files", LABELS + " is missing");
        }
        for (GoldenImage image : images) {
            checkListed(top, SELF_TEST + "/" + image.file, image.sha256);
            checkListed(top, SELF_TEST + "/" + image.tensor, image.tensorSha256);
        }
        for (GoldenPhotos.Photo photo : photos.photos) {
            checkListed(top, SELF_TEST + "/" + photo.file, photo.sha256);
            checkListed(top, SELF_TEST + "/" + photo.tensor, photo.tensorSha256);
        }
    }

    private void checkListed(Fields top, String path, String wanted) throws BundleException {
        if (!wanted.equals(files.get(path))) {
            throw top.wrong("files", path + " is missing or has another sha256");
        }
    }

    private static List<String> classesOf(Fields top) throws BundleException {
        List<String> classes = top.texts("classes");
        Set<String> distinct = new HashSet<String>(classes);
        if (classes.size() < 2 || distinct.size() != classes.size()) {
            throw top.wrong("classes", "at least two are needed, none of them twice");
        }
        return Collections.unmodifiableList(classes);
    }

    private static List<GoldenImage> imagesOf(Fields selfTest, int classes) throws BundleException {
        List<GoldenImage> images = new ArrayList<GoldenImage>();
        for (Object entry : selfTest.list("images")) {
            String where = FILE + ": " + SELF_TEST + ": image " + images.size();
            images.add(GoldenImage.parse(new Fields(entry, where), classes));
        }
        if (images.isEmpty()) {
            throw selfTest.wrong("images", "at least one is needed");
        }
        return Collections.unmodifiableList(images);
    }

    private static Map<String, String> filesOf(Fields listed) throws BundleException {
        Map<String, String> files = new LinkedHashMap<String, String>();
        for (String path : listed.names()) {
            // Nothing outside the bundle's folder is ever read.
            if (!path.matches("[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")) {
                throw new BundleException(FILE + ": files: '" + path + "' is no name of a file");
            }
            files.put(path, listed.sha256(path));
        }
        return Collections.unmodifiableMap(files);
    }

    private static String oneOf(Fields fields, String name, String... known)
            throws BundleException {
        String value = fields.text(name);
        StringBuilder listed = new StringBuilder();
        for (String candidate : known) {
            if (candidate.equals(value)) {
                return value;
            }
            listed.append(listed.length() == 0 ? "" : ", ").append(candidate);
        }
        throw fields.wrong(name, "one of " + listed + " is needed");
    }

    private static byte[] bytesOf(AssetReader assets, String path) throws BundleException {
        try {
            return assets.read(path);
        } catch (IOException error) {
            throw new BundleException(path + ": cannot be read from the bundle: "
                    + error.getMessage() + "; bundle again", error);
        }
    }
}
