package org.hierattn.core;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;
import static org.junit.Assert.fail;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.Test;

/** Golden photos: the self-test fails for whoever decodes them too differently, and says so. */
public class PhotoTestTest {
    private static final String PHOTO = "photo_420.jpg";

    /** Answers with Python's own pixels, which a test may change. */
    private static class Decoder implements PhotoDecoder {
        private final MapAssets assets;
        private final ModelBundle bundle;

        Decoder(MapAssets assets) throws Exception {
            this.assets = assets;
            bundle = ModelBundle.load(assets);
        }

        @Override
        public String name() {
            return "whole";
        }

        @Override
        public byte[] toPixels(byte[] file) throws UnreadableImageException {
            for (GoldenPhotos.Photo photo : bundle.photos.photos) {
                if (Sha256.of(file).equals(photo.sha256)) {
                    byte[] pixels = assets.files.get("selftest/" + photo.tensor).clone();
                    if (photo.file.equals(PHOTO)) {
                        change(pixels);
                    }
                    return pixels;
                }
            }
            throw UnreadableImageException.damaged("another file");
        }

        void change(byte[] pixels) throws UnreadableImageException {}
    }

    private static SelfTestResult run(MapAssets assets, PhotoDecoder... decoders)
            throws Exception {
        return SelfTest.run(ModelBundle.load(assets), assets, new PlainPngDecoder(),
                Arrays.asList(decoders), new FakeClassifier());
    }

    private static void assertRefused(
            SelfTestResult result, Reason.Kind kind, String words) {
        assertEquals("failed", result.status);
        assertTrue(result.reason, result.reason.startsWith(PHOTO + ": "));
        assertTrue(result.reason, result.reason.contains(words));
        assertEquals(kind, result.why.kind);
        assertEquals("[photo_420.jpg, whole]",
                Arrays.asList(result.why.values()).subList(0, 2).toString());
    }

    @Test
    public void samePixelsPassInEveryWay() throws Exception {
        MapAssets assets = MapAssets.fake();
        SelfTestResult result = run(assets, new Decoder(assets), new Decoder(assets));
        assertTrue(result.reason, result.passed());
        assertEquals(8, result.photos.size());
        Map<?, ?> json = (Map<?, ?>) Json.parse(JsonWriter.write(result.toJson()));
        Map<?, ?> first = (Map<?, ?>) ((List<?>) json.get("photos")).get(0);
        assertEquals("{file=photo_444.jpg, decoder=whole, max_difference=0, mean_difference=0.0, "
                + "passed=true}", first.toString());
    }

    @Test
    public void withoutDecodersNothingIsClaimedOfPhotos() throws Exception {
        SelfTestResult result = run(MapAssets.fake());
        assertTrue(result.passed());
        assertTrue(result.photos.isEmpty());
    }

    @Test
    public void smallDifferencesPass() throws Exception {
        MapAssets assets = MapAssets.fake();
        final int most = ModelBundle.load(assets).photos.maxDifference;
        SelfTestResult result = run(assets, new Decoder(assets) {
            @Override
            void change(byte[] pixels) {
                pixels[0] = (byte) (pixels[0] + ((pixels[0] & 255) < 128 ? most : -most));
            }
        });
        assertTrue(result.reason, result.passed());
        assertEquals(most, result.photos.get(1).maxDifference);
    }

    @Test
    public void oneByteTooFarOffIsRefused() throws Exception {
        MapAssets assets = MapAssets.fake();
        final int most = ModelBundle.load(assets).photos.maxDifference + 1;
        assertRefused(run(assets, new Decoder(assets) {
            @Override
            void change(byte[] pixels) {
                pixels[0] = (byte) (pixels[0] + ((pixels[0] & 255) < 128 ? most : -most));
            }
        }), Reason.Kind.PHOTO_DIFFERS,
                "decoded whole, this phone's pixels differ from the lab's by up to 9 levels");
    }

    @Test
    public void manySmallDifferencesAreRefused() throws Exception {
        MapAssets assets = MapAssets.fake();
        assertRefused(run(assets, new Decoder(assets) {
            @Override
            void change(byte[] pixels) {
                for (int place = 0; place < pixels.length; place += 4) {
                    pixels[place] += (pixels[place] & 255) < 128 ? 1 : -1;
                }
            }
        }), Reason.Kind.PHOTO_DIFFERS, "on average 0.25");
    }

    @Test
    public void whatCannotBeDecodedIsRefused() throws Exception {
        MapAssets assets = MapAssets.fake();
        SelfTestResult result = run(assets, new Decoder(assets) {
            @Override
            void change(byte[] pixels) throws UnreadableImageException {
                throw UnreadableImageException.damaged("no memory");
            }
        });
        assertRefused(result, Reason.Kind.PHOTO_NOT_DECODED, "cannot be decoded whole: no memory");
        assertTrue(JsonWriter.write(result.toJson()).contains("\"max_difference\": null"));
        assertRefused(run(assets, new Decoder(assets) {
            @Override
            void change(byte[] pixels) {
                throw new IllegalArgumentException("platform");
            }
        }), Reason.Kind.PHOTO_NOT_DECODED, "platform");
    }

    @Test
    public void aBundleOfBeforeIsReadAndTestsNoPhotos() throws Exception {
        MapAssets assets = MapAssets.fake();
        String json = assets.json();
        int from = json.indexOf(",", json.lastIndexOf("\"scale\"") > 0
                ? json.indexOf("]", json.lastIndexOf("\"scale\"")) : 0);
        int photos = json.indexOf("\"photos\"");
        assertTrue(from > 0 && photos > from);
        assets.replaceInJson(json.substring(from, endOfObject(json, photos)), "");
        ModelBundle bundle = ModelBundle.load(assets);
        assertTrue(bundle.photos.photos.isEmpty());
        SelfTestResult result = run(assets, new Decoder(assets));
        assertTrue(result.reason, result.passed());
        assertTrue(result.photos.isEmpty());
    }

    private static int endOfObject(String json, int from) {
        int depth = 0;
        for (int place = json.indexOf('{', from); ; place++) {
            depth += json.charAt(place) == '{' ? 1 : json.charAt(place) == '}' ? -1 : 0;
            if (depth == 0) {
                return place + 1;
            }
        }
    }

    @Test
    public void damagedFieldsAreNamed() throws Exception {
        String[][] changes = {
            {"\"max_difference\": 8", "\"max_difference\": 256", "max_difference"},
            {"\"max_mean_difference\": 0.2", "\"max_mean_difference\": -1", "max_mean_difference"},
            {"\"file\": \"photo_444.jpg\"", "\"file\": \"photo_445.jpg\"", "photo_445.jpg"},
        };
        for (String[] change : changes) {
            MapAssets assets = MapAssets.fake().replaceInJson(change[0], change[1]);
            try {
                ModelBundle.load(assets);
                fail(change[1]);
            } catch (BundleException error) {
                assertTrue(error.getMessage(), error.getMessage().contains(change[2]));
            }
        }
        assertFalse(ModelBundle.load(MapAssets.fake()).photos.photos.isEmpty());
    }
}
