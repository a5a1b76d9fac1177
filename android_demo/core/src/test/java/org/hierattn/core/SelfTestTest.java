package org.hierattn.core;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.Test;

/** The self-test must pass what is right, and refuse whatever was tampered with. */
public class SelfTestTest {
    private static final String GOLDEN = "selftest/odd.png";
    private static final String TENSOR = "selftest/odd.rgb";

    private static SelfTestResult run(MapAssets assets, Classifier classifier) throws Exception {
        return SelfTest.run(ModelBundle.load(assets), assets, new PlainPngDecoder(), classifier);
    }

    private static void assertRefused(
            String status, Reason.Kind kind, String words, SelfTestResult result) {
        assertFalse(result.passed());
        assertEquals(result.reason, status, result.status);
        assertTrue(result.reason, result.reason.contains(words));
        assertEquals(result.reason, result.why.toString());
        assertEquals(kind, result.why.kind);
    }

    @Test
    public void rightBundlePasses() throws Exception {
        SelfTestResult result = run(MapAssets.fake(), new FakeClassifier());
        assertNull(result.reason);
        assertTrue(result.passed());
        assertEquals(10, result.images.size());
        assertEquals(0, result.maxRelative(), 0);
        for (SelfTestResult.Image image : result.images) {
            assertEquals(0, image.differingBytes);
            assertTrue(image.passed());
        }
    }

    @Test
    public void tamperedLogitIsRefused() throws Exception {
        MapAssets assets = MapAssets.fake();
        GoldenImage image = ModelBundle.load(assets).images.get(2);
        String logit = JsonWriter.write(image.logits[1]);
        assets.replaceInJson(logit, JsonWriter.write(image.logits[1] + image.scale * 2e-5));
        SelfTestResult result = run(assets, new FakeClassifier());
        assertRefused("failed", Reason.Kind.LOGIT_OFF,
                image.file + ": a logit lies 2.00e-05 off", result);
        assertTrue(result.images.get(1).passed());
        assertFalse(result.images.get(2).passed());
        assertEquals(2e-5, result.maxRelative(), 1e-7);
    }

    @Test
    public void logitWithinTolerancePasses() throws Exception {
        MapAssets assets = MapAssets.fake();
        GoldenImage image = ModelBundle.load(assets).images.get(2);
        String logit = JsonWriter.write(image.logits[1]);
        assets.replaceInJson(logit, JsonWriter.write(image.logits[1] + image.scale * 0.9e-5));
        SelfTestResult result = run(assets, new FakeClassifier());
        assertTrue(result.reason, result.passed());
        assertEquals(0.9e-5, result.maxRelative(), 1e-7);
    }

    @Test
    public void tamperedTensorIsRefused() throws Exception {
        MapAssets assets = MapAssets.fake().flipBitAndHash(TENSOR, 777);
        SelfTestResult result = run(assets, new FakeClassifier());
        assertRefused("failed", Reason.Kind.PIXELS_DIFFER,
                "preprocessing gives other pixels in 1 of 12288 bytes", result);
    }

    @Test
    public void changedFilesAreRefused() throws Exception {
        for (String path : MapAssets.fake().files.keySet()) {
            if (!path.equals(ModelBundle.FILE)) {
                MapAssets assets = MapAssets.fake().flipBit(path, 5);
                FakeClassifier classifier = new FakeClassifier();
                SelfTestResult result = run(assets, classifier);
                assertRefused("failed", Reason.Kind.BUNDLE_DAMAGED,
                        path + ": not the file that was bundled", result);
                assertEquals("nothing is asked before the files are right", 0, classifier.asked);
            }
        }
    }

    @Test
    public void missingFilesAreRefused() throws Exception {
        for (String path : MapAssets.fake().files.keySet()) {
            if (!path.equals(ModelBundle.FILE)) {
                MapAssets assets = MapAssets.fake();
                assets.files.remove(path);
                assertRefused("failed", Reason.Kind.BUNDLE_DAMAGED,
                        path + ": cannot be read", run(assets, new FakeClassifier()));
            }
        }
    }

    @Test
    public void notANumberIsRefusedAndWrittenAsNull() throws Exception {
        for (final float wrong : new float[] {
            Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            SelfTestResult result = run(MapAssets.fake(), new FakeClassifier() {
                @Override
                public float[] logits(byte[] rgb) throws ClassifierException {
                    float[] logits = super.logits(rgb);
                    logits[2] = asked == 4 ? wrong : logits[2];
                    return logits;
                }
            });
            assertRefused("failed", Reason.Kind.NO_NUMBER, "no number", result);
            String json = JsonWriter.write(result.toJson());
            assertTrue(json, json.contains("null], \"max_relative\": null, \"passed\": false"));
        }
    }

    @Test
    public void wrongNumberOfLogitsIsRefused() throws Exception {
        for (final int count : new int[] {0, 2, 4}) {
            SelfTestResult result = run(MapAssets.fake(), new FakeClassifier() {
                @Override
                public float[] logits(byte[] rgb) {
                    return new float[count];
                }
            });
            assertRefused("failed", Reason.Kind.LOGITS_LACK,
                    "the model gives " + count + " logits for 3", result);
        }
    }

    @Test
    public void swappedClassesAreRefused() throws Exception {
        SelfTestResult result = run(MapAssets.fake(), new FakeClassifier() {
            @Override
            public float[] logits(byte[] rgb) throws ClassifierException {
                float[] logits = super.logits(rgb);
                return new float[] {logits[1], logits[0], logits[2]};
            }
        });
        assertRefused("failed", Reason.Kind.LOGIT_OFF, "a logit lies", result);
    }

    @Test
    public void brokenRuntimeIsAnError() throws Exception {
        SelfTestResult result = run(MapAssets.fake(), new FakeClassifier() {
            @Override
            public float[] logits(byte[] rgb) throws ClassifierException {
                throw new ClassifierException("out of memory");
            }
        });
        assertRefused("error", Reason.Kind.RUNTIME_FAILED,
                "the runtime failed: out of memory", result);
        result = run(MapAssets.fake(), new FakeClassifier() {
            @Override
            public float[] logits(byte[] rgb) {
                throw new IllegalStateException("native");
            }
        });
        assertRefused("error", Reason.Kind.RUNTIME_FAILED, "native", result);
    }

    @Test
    public void otherDecodersAreRefused() throws Exception {
        MapAssets assets = MapAssets.fake();
        SelfTestResult result = SelfTest.run(ModelBundle.load(assets), assets, new PngDecoder() {
            @Override
            public RgbImage decode(byte[] png) throws UnreadableImageException {
                RgbImage image = new PlainPngDecoder().decode(png);
                image.rgb[0]++;
                return image;
            }
        }, new FakeClassifier());
        assertRefused("failed", Reason.Kind.PIXELS_DIFFER,
                "preprocessing gives other pixels", result);
        result = SelfTest.run(ModelBundle.load(assets), assets, new PngDecoder() {
            @Override
            public RgbImage decode(byte[] png) throws UnreadableImageException {
                throw UnreadableImageException.damaged("no memory");
            }
        }, new FakeClassifier());
        assertRefused("failed", Reason.Kind.NOT_DECODED,
                "exact.png: cannot be decoded: no memory", result);
        JsonWriter.write(result.toJson());
    }

    @Test
    public void jsonHasTheAgreedFields() throws Exception {
        SelfTestResult result = run(MapAssets.fake(), new FakeClassifier());
        Map<?, ?> json = (Map<?, ?>) Json.parse(JsonWriter.write(result.toJson()));
        assertEquals("[schema, status, reason, runtime, artefact, images, photos]",
                json.keySet().toString());
        assertEquals("{name=fake, version=1}", json.get("runtime").toString());
        assertEquals("[file, sha256, format, precision]",
                ((Map<?, ?>) json.get("artefact")).keySet().toString());
        Map<?, ?> image = (Map<?, ?>) ((List<?>) json.get("images")).get(0);
        assertEquals("[file, differing_bytes, logits, max_relative, passed]",
                image.keySet().toString());
        assertEquals(0L, image.get("differing_bytes"));
    }
}
