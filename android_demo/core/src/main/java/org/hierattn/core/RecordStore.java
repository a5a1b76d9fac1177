package org.hierattn.core;

import java.io.IOException;

/**
 * Where an app keeps one text, in its private files: the record of a passed self-test, or the mark of
 * a trial.
 */
public interface RecordStore {
    /** The record; null where there is none that can be read. */
    String read();

    /**
     * Delete the record.
     *
     * @throws IOException it is still there
     */
    void delete() throws IOException;

    /**
     * Keep a record, wholly or not at all.
     *
     * @throws IOException it was not kept
     */
    void keep(String record) throws IOException;
}
