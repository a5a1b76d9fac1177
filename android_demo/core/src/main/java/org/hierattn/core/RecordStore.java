package org.hierattn.core;

import java.io.IOException;

/** Where an app keeps the record of a passed self-test: one text, in its private files. */
public interface RecordStore {
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
