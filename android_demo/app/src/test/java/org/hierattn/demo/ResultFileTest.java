package org.hierattn.demo;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;
import static org.junit.Assert.fail;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Collections;
import java.util.Map;
import org.hierattn.core.Json;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

public final class ResultFileTest {
    @Rule public final TemporaryFolder folder = new TemporaryFolder();

    @Test
    public void aResultReplacesItsProgress() throws Exception {
        ResultFile file = new ResultFile(folder.getRoot(), "selftest", "a.b-C_1");
        file.progress(3, 10);
        assertEquals("{\"done\": 3, \"total\": 10}\n", read("progress-a.b-C_1.json"));
        Map<String, Object> json = Collections.<String, Object>singletonMap("status", "passed");
        file.write(json);
        assertEquals(json, Json.parse(read("selftest-a.b-C_1.json")));
        assertArrayEquals(new String[] {"selftest-a.b-C_1.json"}, folder.getRoot().list());
        file.clear();
        assertEquals(0, folder.getRoot().list().length);
    }

    @Test
    public void whatIsNoJsonLeavesTheOldResult() throws Exception {
        ResultFile file = new ResultFile(folder.getRoot(), "benchmark", "t");
        file.write(Collections.<String, Object>singletonMap("p50_ms", 1.5));
        try {
            file.write(Collections.<String, Object>singletonMap("p50_ms", Double.NaN));
            fail("NaN was written");
        } catch (IOException expected) {
            assertTrue(expected.getMessage().contains("benchmark-t.json"));
        }
        assertEquals("{\"p50_ms\": 1.5}\n", read("benchmark-t.json"));
    }

    @Test
    public void tokensNameNoOtherFile() {
        for (String bad : new String[] {"", "../x", "a/b", ".hidden", "a b", "é",
            new String(new char[65]).replace('\0', 'a'), null}) {
            assertFalse(String.valueOf(bad), ResultFile.isToken(bad));
            try {
                new ResultFile(folder.getRoot(), "selftest", bad);
                fail(bad + " was taken");
            } catch (IOException expected) {
                assertTrue(expected.getMessage().startsWith("token"));
            }
        }
    }

    @Test
    public void missingStorageIsSaid() {
        try {
            new ResultFile(null, "selftest", "t");
            fail("no folder was taken");
        } catch (IOException expected) {
            assertTrue(expected.getMessage().contains("away"));
        }
    }

    private String read(String name) throws IOException {
        return new String(Files.readAllBytes(new File(folder.getRoot(), name).toPath()), "UTF-8");
    }
}
