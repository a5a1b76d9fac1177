package org.hierattn.demo;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;
import static org.junit.Assert.fail;

import java.io.File;
import java.io.IOException;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

public final class RecordFileTest {
    @Rule public final TemporaryFolder folder = new TemporaryFolder();

    @Test
    public void keptReadAndDeleted() throws Exception {
        RecordFile file = new RecordFile(new File(folder.getRoot(), "record.json"));
        assertNull(file.read());
        file.delete();
        file.keep("{\"a\": \"ä\"}");
        assertEquals("{\"a\": \"ä\"}", file.read());
        file.delete();
        assertNull(file.read());
        assertEquals(0, folder.getRoot().list().length);
    }

    @Test
    public void whatStaysIsSaid() throws Exception {
        File stuck = new File(folder.newFolder("record.json"), "inside");
        assertTrue(stuck.createNewFile());
        try {
            new RecordFile(stuck.getParentFile()).delete();
            fail("deleted, it says");
        } catch (IOException expected) {
            assertEquals("record.json", expected.getMessage());
        }
    }
}
