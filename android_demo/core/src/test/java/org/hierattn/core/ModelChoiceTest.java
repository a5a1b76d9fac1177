package org.hierattn.core;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;
import static org.junit.Assert.fail;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.Test;

public class ModelChoiceTest {
    private static final String PHONE = "app 7 on build x";

    /** The fake bundle with a second model file, in fp16's place the first one. */
    private static MapAssets two() throws IOException {
        byte[] second = "no model either".getBytes(StandardCharsets.UTF_8);
        String hash = Sha256.of(second);
        MapAssets assets = MapAssets.fake()
                .replaceInJson("\"precision\": \"fp32\"", "\"precision\": \"fp16\"")
                .replaceInJson("\"fallback\": null", "\"fallback\": {\"artefact\": "
                        + "\"second.onnx\", \"sha256\": \"" + hash + "\", \"bytes\": "
                        + second.length + ", \"precision\": \"fp32\", \"max_relative\": 1e-6}")
                .replaceInJson("\"fake.onnx\": \"",
                        "\"second.onnx\": \"" + hash + "\", \"fake.onnx\": \"");
        assets.files.put("second.onnx", second);
        return assets;
    }

    /** A phone on which each file takes its time, and may answer wrongly or break. */
    private static final class Phone implements ModelChoice.Opener<FakeClassifier>,
            ModelChoice.Clock, RecordStore {
        long halfNanos = 1000;
        long wholeNanos = 2000;
        float halfError;
        float wholeError;
        boolean halfRefused;
        boolean wholeRefused;
        int halfBreaksAfter = Integer.MAX_VALUE;
        String record = "of before";
        final List<FakeClassifier> opened = new ArrayList<FakeClassifier>();
        private long now;

        @Override
        public FakeClassifier open(ModelBundle bundle) throws ClassifierException {
            final boolean half = bundle.precision.equals("fp16");
            if (half ? halfRefused : wholeRefused) {
                throw new ClassifierException("refused " + bundle.artefact);
            }
            FakeClassifier made = new FakeClassifier() {
                @Override
                public float[] logits(byte[] rgb) throws ClassifierException {
                    now += half ? halfNanos : wholeNanos;
                    float[] logits = super.logits(rgb);
                    if (half && asked > halfBreaksAfter) {
                        throw new ClassifierException("broke");
                    }
                    logits[1] += half ? halfError : wholeError;
                    return logits;
                }
            };
            opened.add(made);
            return made;
        }

        @Override
        public long nanos() {
            return now;
        }

        @Override
        public void delete() {
            record = null;
        }

        @Override
        public void keep(String newRecord) {
            record = newRecord;
        }

        ModelChoice<FakeClassifier> choose(MapAssets assets) throws Exception {
            return ModelChoice.make(ModelBundle.load(assets), assets, new PlainPngDecoder(),
                    Collections.<PhotoDecoder>emptyList(), PHONE, this, this, this);
        }
    }

    private static Map<?, ?> tried(ModelChoice<FakeClassifier> choice, int place) {
        return (Map<?, ?>) choice.gate.tried().get(place);
    }

    @Test
    public void theFasterOfTwoThatPassIsTaken() throws Exception {
        Phone phone = new Phone();
        ModelChoice<FakeClassifier> choice = phone.choose(two());
        assertEquals("fake.onnx", choice.bundle.artefact);
        assertEquals("fp16", choice.bundle.precision);
        assertTrue(choice.gate.isOpen() && choice.result.passed());
        assertEquals(0.001, (Double) tried(choice, 0).get("p50_ms"), 1e-12);
        assertEquals(0.002, (Double) tried(choice, 1).get("p50_ms"), 1e-12);
        assertEquals(true, tried(choice, 0).get("chosen"));
        assertEquals(false, tried(choice, 1).get("chosen"));
        assertEquals(0, phone.opened.get(0).closed);
        assertEquals("the loser frees its memory", 1, phone.opened.get(1).closed);

        phone.halfNanos = 3000;
        choice = phone.choose(two());
        assertEquals("second.onnx", choice.bundle.artefact);
        assertEquals(1e-6, choice.bundle.maxRelative, 0);
        assertTrue(choice.gate.isOpen());
    }

    @Test
    public void aWrongFileIsNeverTakenHoweverFast() throws Exception {
        Phone phone = new Phone();
        phone.halfError = 1000;
        ModelChoice<FakeClassifier> choice = phone.choose(two());
        assertEquals("second.onnx", choice.bundle.artefact);
        assertTrue(choice.gate.isOpen());
        assertTrue(tried(choice, 0).get("reason").toString().contains("a logit lies"));
        assertNull(tried(choice, 0).get("p50_ms"));
    }

    @Test
    public void aFileThatDoesNotOpenOrBreaksIsPassedOver() throws Exception {
        Phone phone = new Phone();
        phone.halfRefused = true;
        ModelChoice<FakeClassifier> choice = phone.choose(two());
        assertEquals("second.onnx", choice.bundle.artefact);
        assertEquals("refused fake.onnx", tried(choice, 0).get("reason"));

        phone = new Phone();
        phone.halfBreaksAfter = 12;
        choice = phone.choose(two());
        assertEquals("second.onnx", choice.bundle.artefact);
        assertEquals("broke", tried(choice, 0).get("reason"));
        assertEquals(1, phone.opened.get(0).closed);
    }

    @Test
    public void whereNonePassesTheAppStaysSilent() throws Exception {
        Phone phone = new Phone();
        phone.halfError = 1000;
        phone.wholeError = 1000;
        ModelChoice<FakeClassifier> choice = phone.choose(two());
        assertFalse(choice.gate.isOpen());
        assertFalse(choice.result.passed());
        assertEquals(false, tried(choice, 1).get("chosen"));
        assertNull(phone.record);
        phone.halfRefused = true;
        phone.wholeRefused = true;
        try {
            phone.choose(two());
            fail("there is nothing to choose");
        } catch (ClassifierException expected) {
            assertEquals("refused second.onnx", expected.getMessage());
        }
    }

    @Test
    public void laterLaunchesKnowTheFileAndTheTimes() throws Exception {
        MapAssets assets = two();
        Phone phone = new Phone();
        phone.halfError = 1000;
        phone.choose(assets);
        ModelBundle known = ModelChoice.remembered(ModelBundle.load(assets), phone.record);
        assertEquals("second.onnx", known.artefact);
        FakeClassifier silent = new FakeClassifier();
        SelfTestGate gate = new SelfTestGate(known, silent);
        assertTrue(gate.resume(assets, phone.record, PHONE));
        assertEquals(0, silent.asked);
        assertEquals(2, gate.tried().size());
        assertEquals(0.002, (Double) ((Map<?, ?>) gate.tried().get(1)).get("p50_ms"), 1e-12);
        // The record of one file opens no other.
        SelfTestGate other = new SelfTestGate(ModelBundle.load(assets), new FakeClassifier());
        assertFalse(other.resume(assets, phone.record, PHONE));
        for (String damaged : new String[] {null, "", "[]", "{}", "{\"model_sha256\": 3}"}) {
            assertEquals("fake.onnx",
                    ModelChoice.remembered(ModelBundle.load(assets), damaged).artefact);
        }
    }

    @Test
    public void oneFileIsTestedAndNotTimed() throws Exception {
        Phone phone = new Phone();
        MapAssets assets = MapAssets.fake();
        ModelChoice<FakeClassifier> choice = phone.choose(assets);
        assertTrue(choice.gate.isOpen());
        assertEquals(0, choice.gate.tried().size());
        assertEquals(10, choice.classifier.asked);
        assertNull(choice.bundle.fallback);
        assertTrue(new SelfTestGate(choice.bundle, new FakeClassifier())
                .resume(assets, phone.record, PHONE));
    }

    @Test
    public void aFallbackMustFit() throws Exception {
        MapAssets assets = two();
        ModelBundle.load(assets).fallback.checkFiles(assets);
        String[][] cases = {
            {"\"max_relative\": 1e-6", "\"max_relative\": 0", "'max_relative'"},
            {"\"artefact\": \"second.onnx\"", "\"artefact\": \"third.onnx\"", "third.onnx is"},
            {"\"artefact\": \"second.onnx\"", "\"artefact\": 3", "a string is needed"},
        };
        for (String[] change : cases) {
            try {
                ModelBundle.load(two().replaceInJson(change[0], change[1]));
                fail("it was read, in spite of " + change[2]);
            } catch (BundleException error) {
                assertTrue(error.getMessage(), error.getMessage().contains(change[2]));
            }
        }
        ModelChoice<FakeClassifier> choice = new Phone().choose(assets.flipBit("second.onnx", 0));
        assertFalse("a changed file was taken", choice.gate.isOpen());
        assertTrue(choice.result.reason.contains("second.onnx"));
    }
}
