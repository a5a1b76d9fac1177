package org.hierattn.core;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Remembers that a model file was being tried: a crash in native code ends the app, and leaves no
 * other trace. Who finds a mark of an earlier launch does not try that file again.
 *
 * <p>It counts for the same bundle, file and environment only: after a change of any, the file has
 * another try.
 */
final class TrialMark {
    private final RecordStore store;
    private final String text;

    /**
     * The mark of one model file.
     *
     * @param environment as in {@link SelfTestGate#record}
     */
    TrialMark(ModelBundle bundle, String environment, RecordStore store) {
        this.store = store;
        Map<String, Object> facts = new LinkedHashMap<String, Object>();
        facts.put(SelfTestGate.BUNDLE, bundle.identity);
        facts.put(SelfTestGate.MODEL, bundle.sha256);
        facts.put(SelfTestGate.ENVIRONMENT, environment);
        try {
            text = JsonWriter.write(facts);
        } catch (JsonException error) {
            throw new IllegalStateException("strings are always JSON", error);
        }
    }

    /** Whether the app ended while this file was tried. */
    boolean isLeft() {
        return text.equals(store.read());
    }

    /**
     * Before the file is opened.
     *
     * @throws IOException it was not kept: the file must not be tried
     */
    void set() throws IOException {
        store.keep(text);
    }

    /** The app has outlived the trial. */
    void remove() {
        try {
            store.delete();
        } catch (IOException stays) {
            // The file passes for one that ended the app, and the other is used; nothing worse.
            return;
        }
    }
}
