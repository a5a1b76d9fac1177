package org.hierattn.core;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;
import static org.junit.Assert.fail;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
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

    /** A crash in native code: what runs while it is thrown would not have run. */
    private static final class Killed extends Error {
        private static final long serialVersionUID = 1;
    }

    /** Keeps a text; once the app was killed, nothing reaches it. */
    private static final class Mark implements RecordStore {
        String text;
        boolean full;
        boolean dead;

        @Override
        public String read() {
            return text;
        }

        @Override
        public void keep(String newText) throws IOException {
            if (full) {
                throw new IOException("no space left");
            }
            text = newText;
        }

        @Override
        public void delete() {
            text = dead ? text : null;
        }
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
        String environment = PHONE;
        /** The app is killed when this file is opened, or at this many questions to it. */
        String deadlyFile;
        int deadlyAfter;
        final Mark mark = new Mark();
        final List<FakeClassifier> opened = new ArrayList<FakeClassifier>();
        private long now;

        @Override
        public FakeClassifier open(ModelBundle bundle) throws ClassifierException {
            final boolean half = bundle.precision.equals("fp16");
            final boolean deadly = bundle.artefact.equals(deadlyFile);
            if (deadly && deadlyAfter == 0) {
                throw new Killed();
            }
            if (half ? halfRefused : wholeRefused) {
                throw new ClassifierException("refused " + bundle.artefact);
            }
            FakeClassifier made = new FakeClassifier() {
                @Override
                public float[] logits(byte[] rgb) throws ClassifierException {
                    if (deadly && asked == deadlyAfter) {
                        throw new Killed();
                    }
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

        @Override
        public String read() {
            return record;
        }

        /** The app ends in the middle. */
        void crash(MapAssets assets) throws Exception {
            mark.dead = true;
            try {
                choose(assets);
                fail("the app lives");
            } catch (Killed expected) {
                mark.dead = false;
            }
        }

        ModelChoice<FakeClassifier> choose(MapAssets assets) throws Exception {
            return ModelChoice.make(ModelBundle.load(assets), assets, new PlainPngDecoder(),
                    Collections.<PhotoDecoder>emptyList(), environment, this, mark, this, this);
        }
    }

    private static Map<?, ?> tried(ModelChoice<FakeClassifier> choice, int place) {
        return (Map<?, ?>) choice.gate.tried().get(place);
    }

    /** Why the first file is not used, as a screen in any language is told. */
    private static Reason why(ModelChoice<FakeClassifier> choice) {
        return Reason.ofEntry(tried(choice, 0));
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
        assertEquals(Reason.Kind.LOGIT_OFF, why(choice).kind);
        assertEquals(3, why(choice).values().length);
        assertNull(tried(choice, 0).get("p50_ms"));
    }

    @Test
    public void aFileThatDoesNotOpenOrBreaksIsPassedOver() throws Exception {
        Phone phone = new Phone();
        phone.halfRefused = true;
        ModelChoice<FakeClassifier> choice = phone.choose(two());
        assertEquals("second.onnx", choice.bundle.artefact);
        assertEquals("refused fake.onnx", tried(choice, 0).get("reason"));
        assertEquals(Reason.Kind.RUNTIME_FAILED, why(choice).kind);

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
    public void aFileThatEndedTheAppIsNotTriedAgain() throws Exception {
        // When it is opened, in the middle of its self-test of ten pictures, and when it is timed.
        for (int deadlyAfter : new int[] {0, 4, 15}) {
            Phone phone = new Phone();
            phone.deadlyFile = "fake.onnx";
            phone.deadlyAfter = deadlyAfter;
            phone.crash(two());
            assertNull("the old record must not open the gate", phone.record);
            phone.opened.clear();
            ModelChoice<FakeClassifier> choice = phone.choose(two());
            assertEquals("second.onnx", choice.bundle.artefact);
            assertTrue(choice.gate.isOpen());
            assertEquals("only the second was opened", 1, phone.opened.size());
            assertTrue(tried(choice, 0).get("reason").toString().contains("the app ended"));
            assertEquals(Reason.Kind.ENDED_THE_APP, why(choice).kind);
            assertNull(tried(choice, 0).get("p50_ms"));
            assertEquals(0.002, (Double) tried(choice, 1).get("p50_ms"), 1e-12);
            // A self-test at the user's wish leaves it alone, too.
            assertEquals("second.onnx", phone.choose(two()).bundle.artefact);
            // After an update it has another try.
            phone.environment = "app 8 on build x";
            phone.crash(two());
            assertEquals("second.onnx", phone.choose(two()).bundle.artefact);
            phone.environment = "app 9 on build x";
            phone.deadlyFile = null;
            assertEquals("fake.onnx", phone.choose(two()).bundle.artefact);
        }
    }

    @Test
    public void whyIsRememberedWithItsValues() throws Exception {
        Reason inner = Reason.of(Reason.Kind.LOGIT_OFF, "off", "a.png", 0.5, 1e-5);
        Reason outer = Reason.of(Reason.Kind.NO_LATENCY, "none: off", inner, 7, "as it is");
        Map<String, Object> entry = new LinkedHashMap<String, Object>();
        entry.put("reason", outer.toString());
        entry.put("why", outer.toJson());
        Reason read = Reason.ofEntry((Map<?, ?>) Json.parse(JsonWriter.write(entry)));
        assertEquals("none: off", read.toString());
        Reason within = (Reason) read.values()[0];
        assertEquals(Reason.Kind.LOGIT_OFF, within.kind);
        assertEquals("off", within.toString());
        assertEquals("[a.png, 0.5, 1.0E-5]", Arrays.toString(within.values()));
        assertEquals("7", String.format("%d", read.values()[1]));
        // Of an earlier or a later version of the app, or with what is no JSON: technical, as it stands.
        Reason endless = Reason.of(Reason.Kind.LOGIT_OFF, "off", "a.png", Double.NaN, 1e-5);
        assertNull(endless.toJson());
        for (Object told : new Object[] {null, "LOGIT_OFF", Collections.singletonMap("kind", "NEW")}) {
            entry.put("why", told);
            assertEquals(Reason.Kind.UNEXPECTED, Reason.ofEntry(entry).kind);
            assertEquals("none: off", Reason.ofEntry(entry).values()[0]);
        }
    }

    @Test
    public void theMarkIsRemovedByWhateverElseHappens() throws Exception {
        Phone phone = new Phone();
        phone.choose(two());
        assertNull(phone.mark.text);
        phone.halfError = 1000;
        phone.wholeRefused = true;
        phone.choose(two());
        assertNull(phone.mark.text);
        phone.halfRefused = true;
        try {
            phone.choose(two());
            fail("there is nothing to choose");
        } catch (ClassifierException expected) {
            assertNull(phone.mark.text);
        }
    }

    @Test
    public void withoutRoomForTheMarkTheFirstFileIsNotTried() throws Exception {
        Phone phone = new Phone();
        phone.mark.full = true;
        ModelChoice<FakeClassifier> choice = phone.choose(two());
        assertEquals("second.onnx", choice.bundle.artefact);
        assertTrue(tried(choice, 0).get("reason").toString().contains("no space left"));
        assertEquals(Reason.Kind.NO_MARK, why(choice).kind);
        // A bundle of one file needs none.
        choice = phone.choose(MapAssets.fake());
        assertTrue(choice.gate.isOpen());
        assertNull(phone.mark.text);
    }

    @Test
    public void laterLaunchesKnowTheFileAndTheTimes() throws Exception {
        MapAssets assets = two();
        Phone phone = new Phone();
        phone.halfError = 1000;
        phone.choose(assets);
        ModelBundle known = ModelChoice.remembered(
                ModelBundle.load(assets), phone.record, PHONE);
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
            assertNull(ModelChoice.remembered(ModelBundle.load(assets), damaged, PHONE));
        }
        // Of another Android, or of another bundle: no file is opened before it is tested.
        assertNull(ModelChoice.remembered(ModelBundle.load(assets), phone.record, "app 8"));
        assertNull(ModelChoice.remembered(
                ModelBundle.load(MapAssets.fake()), phone.record, PHONE));
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
