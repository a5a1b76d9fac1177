package org.hierattn.core;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;
import static org.junit.Assert.fail;

import java.io.File;
import java.util.Arrays;
import org.junit.Assume;
import org.junit.Test;

public class ModelBundleTest {
    private static void assertRefused(MapAssets assets, String words) {
        try {
            ModelBundle.load(assets);
            fail("it was read, in spite of " + words);
        } catch (BundleException error) {
            assertTrue(error.getMessage(), error.getMessage().contains(words));
            assertEquals(1, error.getMessage().split("\n").length);
        }
    }

    @Test
    public void readsWhatPythonWrites() throws Exception {
        MapAssets assets = MapAssets.fake();
        ModelBundle bundle = ModelBundle.load(assets);
        bundle.checkFiles(assets);
        assertEquals(Arrays.asList("ACK", "MEL", "N\u00e4vus"), bundle.classes);
        assertEquals(64, bundle.imageSize);
        assertEquals(Preprocessor.Layout.NCHW, bundle.layout);
        assertTrue(bundle.operatingPoint.isTarget(1));
        assertEquals(0.25, bundle.operatingPoint.melanomaThreshold, 0);
        assertEquals(1e-5, bundle.maxRelative, 0);
        assertEquals(10, bundle.images.size());
        assertTrue(bundle.verified);
        assertEquals(Sha256.of(assets.files.get("bundle.json")), bundle.identity);
        assertEquals(bundle.sha256, Sha256.of(bundle.readModel(assets)));
    }

    @Test
    public void refusesWhatDoesNotFit() throws Exception {
        String[][] cases = {
            {"\"schema\": 1", "\"schema\": 2", "'schema'"},
            {"\"schema\": 1,", "", "'schema': it is missing"},
            {"\"format\": \"onnx\"", "\"format\": \"coreml\"", "one of onnx, tflite is needed"},
            {"\"layout\": \"NCHW\"", "\"layout\": \"NWHC\"", "'layout'"},
            {"\"resize\": \"pillow_bilinear_antialias\"", "\"resize\": \"nearest\"", "'resize'"},
            {"\"divisor\": 255", "\"divisor\": 127", "'divisor'"},
            {"\"divisor\": 255", "\"divisor\": 255, \"mean\": 0", "not known here"},
            {"\"temperature\": 1.5", "\"temperature\": 0", "'temperature'"},
            {"\"temperature\": 1.5", "\"temperature\": \"1.5\"", "a number is needed"},
            {"\"abstain_threshold\": 0.4", "\"abstain_threshold\": 1.4", "'abstain_threshold'"},
            {"\"melanoma_class\": \"MEL\"", "\"melanoma_class\": \"MELA\"", "none of the classes"},
            {"\"melanoma_class\": \"MEL\"", "\"melanoma_class\": null", "needs a melanoma_class"},
            {"\"verified\": true", "\"verified\": false", "'verified'"},
            {"\"status\": \"passed\"", "\"status\": \"failed\"", "'verified'"},
            {"\"max_relative\": 1e-05", "\"max_relative\": 0", "'max_relative'"},
            {"\"max_relative\": 1e-05", "\"max_relative\": NaN", "JSON, character"},
            {"\"max_relative\": 1e-05", "\"max_relative\": 1e999", "too large"},
            {"\"ACK\"", "\"MEL\"", "none of them twice"},
            {"\"artefact\": \"fake.onnx\"", "\"artefact\": \"other.onnx\"", "other.onnx is missing"},
            {"\"fake.onnx\": \"", "\"../fake.onnx\": \"", "'../fake.onnx' is no name of a file"},
            {"\"fake.onnx\": \"", "\"/fake.onnx\": \"", "is no name of a file"},
            {"\"fake.onnx\": \"", "\"a//fake.onnx\": \"", "is no name of a file"},
            {"\"selftest/odd.png\": \"", "\"selftest/even.png\": \"", "selftest/odd.png is missing"},
            {"\"labels.txt\": \"", "\"labels2.txt\": \"", "labels.txt is missing"},
            {"\"image_size\": 64,\n  \"input\"", "\"image_size\": 65,\n  \"input\"", "'image_size'"},
        };
        for (String[] change : cases) {
            assertRefused(MapAssets.fake().replaceInJson(change[0], change[1]), change[2]);
        }
    }

    @Test
    public void refusesDamagedText() throws Exception {
        MapAssets assets = MapAssets.fake();
        byte[] whole = assets.files.get(ModelBundle.FILE);
        for (int length = 0; length < whole.length - 2; length += 101) {
            assets.files.put(ModelBundle.FILE, Arrays.copyOf(whole, length));
            assertRefused(assets, "bundle.json");
        }
        assets.files.remove(ModelBundle.FILE);
        assertRefused(assets, "bundle.json: cannot be read");
    }

    @Test
    public void labelsMustBeTheClasses() throws Exception {
        MapAssets assets = MapAssets.fake().flipBitAndHash("labels.txt", 0);
        try {
            ModelBundle.load(assets).checkFiles(assets);
            fail("other labels passed");
        } catch (BundleException error) {
            assertTrue(error.getMessage(), error.getMessage().startsWith("labels.txt"));
        }
    }

    @Test
    public void severalTargetsStandInTheirOwnField() throws Exception {
        String one = "\"melanoma_class\": \"MEL\"";
        String none = "\"melanoma_class\": null, \"target_classes\": ";
        OperatingPoint point = ModelBundle.load(
                MapAssets.fake().replaceInJson(one, none + "[\"MEL\", \"ACK\"]")).operatingPoint;
        assertTrue(point.isTarget(0) && point.isTarget(1) && !point.isTarget(2));
        String[][] wrong = {
            {none + "[\"MEL\", \"MELA\"]", "none of the classes"},
            {none + "[\"MEL\", \"MEL\"]", "different names"},
            {one + ", \"target_classes\": [\"ACK\"]", "name another"},
        };
        for (String[] change : wrong) {
            try {
                ModelBundle.load(MapAssets.fake().replaceInJson(one, change[0]));
                throw new AssertionError("loaded " + change[0]);
            } catch (BundleException error) {
                assertTrue(error.getMessage(), error.getMessage().contains(change[1]));
            }
        }
    }

    @Test
    public void nullThresholdMeansNone() throws Exception {
        MapAssets assets = MapAssets.fake()
                .replaceInJson("\"melanoma_threshold\": 0.25", "\"melanoma_threshold\": null");
        OperatingPoint point = ModelBundle.load(assets).operatingPoint;
        assertTrue(Double.isNaN(point.melanomaThreshold));
        assertEquals(null, Decision.of(new float[3], Arrays.asList("a", "b", "c"), point).melanomaFlag);
    }

    @Test
    public void whatPythonCallsNotFittedIsNotFitted() throws Exception {
        assertFalse(ModelBundle.load(MapAssets.fake()).operatingPoint.isFitted());
        MapAssets fitted = MapAssets.fake().replaceInJson("\"not fitted\"", "\"on 30 photos\"");
        assertTrue(ModelBundle.load(fitted).operatingPoint.isFitted());
    }

    /** Optional: a bundle of a real export, made by {@code hierattn bundle}. */
    @Test
    public void realBundleBecomesItsTensors() throws Exception {
        String folder = System.getProperty("hierattn.bundle");
        Assume.assumeTrue("no real bundle named", folder != null && !folder.isEmpty());
        MapAssets assets = MapAssets.folder(new File(folder));
        ModelBundle bundle = ModelBundle.load(assets);
        bundle.checkFiles(assets);
        for (GoldenImage image : bundle.images) {
            byte[] png = bundle.read(assets, "selftest/" + image.file);
            byte[] wanted = bundle.read(assets, "selftest/" + image.tensor);
            byte[] found = new Preprocessor(bundle.preprocessing).pngToPixels(png);
            assertEquals(image.file, 0, Vectors.differing(found, wanted));
        }
        System.out.println("real bundle: " + bundle.artefact + ", " + bundle.images.size()
                + " golden images become their tensors");
    }
}
