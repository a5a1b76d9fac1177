package org.hierattn.core;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;
import static org.junit.Assert.fail;

import java.io.IOException;
import java.util.Collections;
import java.util.List;
import org.junit.Test;

public class SelfTestGateTest {
    private static final String PHONE = "app 7 on build x";
    private static final List<PhotoDecoder> NONE = Collections.emptyList();
    private static final byte[] PICTURE = new byte[64 * 64 * 3];

    private static SelfTestGate gate(MapAssets assets, Classifier classifier) throws Exception {
        return new SelfTestGate(ModelBundle.load(assets), classifier);
    }

    private static void assertShut(SelfTestGate gate, FakeClassifier classifier, String words)
            throws Exception {
        int asked = classifier.asked;
        assertFalse(gate.isOpen());
        assertTrue(gate.shutReason(), gate.shutReason().contains(words));
        try {
            gate.decide(PICTURE);
            fail("it answered");
        } catch (NotTestedException expected) {
            assertTrue(expected.getMessage(), expected.getMessage().contains(words));
        }
        try {
            gate.logits(PICTURE);
            fail("it answered");
        } catch (NotTestedException expected) {
            assertNotNull(expected.getMessage());
        }
        try {
            gate.record(PHONE);
            fail("it gave a record");
        } catch (NotTestedException expected) {
            assertNotNull(expected.getMessage());
        }
        assertEquals("the model was asked", asked, classifier.asked);
    }

    @Test
    public void silentBeforeTheTestAndOpenBehindIt() throws Exception {
        MapAssets assets = MapAssets.fake();
        FakeClassifier classifier = new FakeClassifier();
        SelfTestGate gate = gate(assets, classifier);
        assertShut(gate, classifier, "has not been run");
        assertTrue(gate.test(assets, new PlainPngDecoder()).passed());
        assertTrue(gate.isOpen());
        assertNull(gate.shutReason());
        assertEquals(3, gate.decide(PICTURE).top.size());
        gate.close();
        gate.close();
        assertEquals(1, classifier.closed);
        assertShut(gate, classifier, "closed");
    }

    @Test
    public void tamperedExpectationShutsIt() throws Exception {
        MapAssets assets = MapAssets.fake().flipBitAndHash("selftest/alpha.rgb", 9);
        FakeClassifier classifier = new FakeClassifier();
        SelfTestGate gate = gate(assets, classifier);
        assertFalse(gate.test(assets, new PlainPngDecoder()).passed());
        assertShut(gate, classifier, "the self-test failed: alpha.png: preprocessing");
    }

    @Test
    public void aLaterFailureShutsItAgain() throws Exception {
        MapAssets assets = MapAssets.fake();
        FakeClassifier classifier = new FakeClassifier();
        SelfTestGate gate = gate(assets, classifier);
        gate.test(assets, new PlainPngDecoder());
        gate.test(assets.flipBit("fake.onnx", 1), new PlainPngDecoder());
        assertShut(gate, classifier, "fake.onnx");
    }

    @Test
    public void anErrorThatEscapesLeavesItShut() throws Exception {
        MapAssets assets = MapAssets.fake();
        FakeClassifier classifier = new FakeClassifier() {
            @Override
            public float[] logits(byte[] rgb) throws ClassifierException {
                if (asked == 12) {
                    throw new OutOfMemoryError("for the test");
                }
                return super.logits(rgb);
            }
        };
        SelfTestGate gate = gate(assets, classifier);
        gate.test(assets, new PlainPngDecoder());
        try {
            gate.test(assets, new PlainPngDecoder());
            fail("no error");
        } catch (OutOfMemoryError expected) {
            assertShut(gate, classifier, "not finished");
        }
    }

    /** In memory; refuses what the test wants it to. */
    private static final class Store implements RecordStore {
        String record = "of an earlier self-test";
        boolean stuck;
        boolean full;

        @Override
        public String read() {
            return record;
        }

        @Override
        public void delete() throws IOException {
            if (stuck) {
                throw new IOException("read-only");
            }
            record = null;
        }

        @Override
        public void keep(String newRecord) throws IOException {
            if (full) {
                throw new IOException("no space");
            }
            record = newRecord;
        }
    }

    @Test
    public void theOldRecordIsGoneBeforeTheModelIsAsked() throws Exception {
        MapAssets assets = MapAssets.fake();
        final Store store = new Store();
        SelfTestGate gate = gate(assets, new FakeClassifier() {
            @Override
            public float[] logits(byte[] rgb) throws ClassifierException {
                assertNull(store.record);
                return super.logits(rgb);
            }
        });
        assertTrue(gate.test(assets, new PlainPngDecoder(), NONE, PHONE, store).passed());
        assertEquals(gate.record(PHONE), store.record);
        assertFalse(gate.test(assets.flipBit("fake.onnx", 1), new PlainPngDecoder(), NONE, PHONE, store)
                .passed());
        assertNull(store.record);
    }

    @Test
    public void aRecordThatStaysShutsItWithoutATest() throws Exception {
        MapAssets assets = MapAssets.fake();
        FakeClassifier classifier = new FakeClassifier();
        SelfTestGate gate = gate(assets, classifier);
        Store store = new Store();
        gate.test(assets, new PlainPngDecoder(), NONE, PHONE, store);
        store.stuck = true;
        int asked = classifier.asked;
        try {
            gate.test(assets, new PlainPngDecoder(), NONE, PHONE, store);
            fail("it was tested");
        } catch (IOException expected) {
            assertTrue(expected.getMessage(), expected.getMessage().endsWith("deleted: read-only"));
        }
        assertEquals(asked, classifier.asked);
        assertShut(gate, classifier, "cannot be deleted: read-only");
    }

    @Test
    public void aRecordThatIsNotKeptShutsNothing() throws Exception {
        MapAssets assets = MapAssets.fake();
        SelfTestGate gate = gate(assets, new FakeClassifier());
        Store store = new Store();
        store.full = true;
        assertTrue(gate.test(assets, new PlainPngDecoder(), NONE, PHONE, store).passed());
        assertTrue(gate.isOpen());
        assertNull(store.record);
    }

    @Test
    public void recordOpensForTheSameAlone() throws Exception {
        MapAssets assets = MapAssets.fake();
        SelfTestGate first = gate(assets, new FakeClassifier());
        first.test(assets, new PlainPngDecoder());
        String record = first.record(PHONE);

        FakeClassifier asked = new FakeClassifier();
        SelfTestGate again = gate(assets, asked);
        assertTrue(again.resume(assets, record, PHONE));
        assertEquals(0, asked.asked);
        again.decide(PICTURE);

        SelfTestGate other = gate(assets, new FakeClassifier());
        assertFalse(other.resume(assets, record, "app 8 on build x"));
        assertFalse(other.resume(assets, null, PHONE));
        assertFalse(other.resume(assets, "", PHONE));
        assertFalse(other.resume(assets, "{}", PHONE));
        assertFalse(other.resume(assets, record + " ", PHONE + " "));
        assertFalse(other.isOpen());

        SelfTestGate newer = gate(assets, new FakeClassifier() {
            @Override
            public String runtimeVersion() {
                return "2";
            }
        });
        assertFalse(newer.resume(assets, record, PHONE));
    }

    @Test
    public void recordCountsForNoOtherBundle() throws Exception {
        MapAssets assets = MapAssets.fake();
        SelfTestGate first = gate(assets, new FakeClassifier());
        first.test(assets, new PlainPngDecoder());
        String record = first.record(PHONE);
        MapAssets changed = MapAssets.fake().replaceInJson("Tests alone.", "All uses.");
        assertFalse(gate(changed, new FakeClassifier()).resume(changed, record, PHONE));
        MapAssets swapped = MapAssets.fake().flipBit("fake.onnx", 1);
        assertFalse(gate(swapped, new FakeClassifier()).resume(swapped, record, PHONE));
        assertTrue(gate(assets, new FakeClassifier()).resume(MapAssets.fake(), record, PHONE));
    }

    @Test
    public void noNumberIsNoAnswer() throws Exception {
        MapAssets assets = MapAssets.fake();
        SelfTestGate gate = gate(assets, new FakeClassifier() {
            @Override
            public float[] logits(byte[] rgb) throws ClassifierException {
                float[] logits = super.logits(rgb);
                logits[0] = asked > 10 ? Float.NaN : logits[0];
                return logits;
            }
        });
        assertTrue(gate.test(assets, new PlainPngDecoder()).passed());
        try {
            gate.decide(PICTURE);
            fail("it answered");
        } catch (ClassifierException expected) {
            assertTrue(expected.getMessage(), expected.getMessage().contains("NaN"));
        }
    }
}
