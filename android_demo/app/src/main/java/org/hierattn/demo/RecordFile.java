package org.hierattn.demo;

import java.io.DataInputStream;
import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.hierattn.core.RecordStore;

/** A record of the self-test, in a file. */
final class RecordFile implements RecordStore {
    private static final int MOST_BYTES = 1 << 16;
    private final File file;

    RecordFile(File file) {
        this.file = file;
    }

    @Override
    public String read() {
        byte[] content = new byte[(int) Math.min(file.length(), MOST_BYTES)];
        try {
            DataInputStream stream = new DataInputStream(new FileInputStream(file));
            try {
                stream.readFully(content);
                return new String(content, StandardCharsets.UTF_8);
            } finally {
                stream.close();
            }
        } catch (IOException absent) {
            return null;
        }
    }

    @Override
    public void delete() throws IOException {
        if (!file.delete() && file.exists()) {
            throw new IOException(file.getName());
        }
    }

    @Override
    public void keep(String record) throws IOException {
        ResultFile.writeWhole(file, record, true);
    }
}
