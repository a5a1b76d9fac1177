package org.hierattn.demo;

import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import org.hierattn.core.JsonException;
import org.hierattn.core.JsonWriter;

/** JSON in the app's external files folder, where adb can fetch it: whole files or none. */
final class ResultFile {
    private final File folder;
    private final String kind;
    private final String token;

    /**
     * Name a result.
     *
     * @param folder the app's external files folder; null where the storage is away
     * @param kind "selftest" or "benchmark"
     * @param token what the caller asked for; letters, digits, dot, dash and underscore, 64 at most
     * @throws IOException no storage, or a token that could name another file
     */
    ResultFile(File folder, String kind, String token) throws IOException {
        if (folder == null) {
            throw new IOException("the app's external files folder is away");
        }
        if (!isToken(token)) {
            throw new IOException("token: 1 to 64 letters, digits, '.', '-' or '_' are needed");
        }
        this.folder = folder;
        this.kind = kind;
        this.token = token;
    }

    static boolean isToken(String token) {
        return token != null && token.matches("[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}");
    }

    /** The file that {@link #write} makes. */
    File target() {
        return new File(folder, kind + "-" + token + ".json");
    }

    /** Forget an older result of the same name, so that nobody takes it for the new one. */
    void clear() {
        target().delete();
        progressFile().delete();
    }

    /** Say how far the work is; never fails, since progress is a courtesy. */
    void progress(int done, int total) {
        Map<String, Object> json = new LinkedHashMap<String, Object>();
        json.put("done", done);
        json.put("total", total);
        try {
            File file = progressFile();
            writeWhole(file, text(file, json), false);
        } catch (IOException ignored) {
            progressFile().delete();
        }
    }

    /**
     * Write the result and take the progress away.
     *
     * @throws IOException it cannot be written; the target is then as it was
     */
    void write(Map<String, Object> json) throws IOException {
        writeWhole(target(), text(target(), json), true);
        progressFile().delete();
    }

    private File progressFile() {
        return new File(folder, "progress-" + token + ".json");
    }

    private static String text(File target, Map<String, Object> json) throws IOException {
        try {
            return JsonWriter.write(json) + "\n";
        } catch (JsonException error) {
            throw new IOException(target.getName() + ": " + error.getMessage(), error);
        }
    }

    /**
     * Write beside the target, then rename.
     *
     * @param flush whether it must be on the disk before its name is
     * @throws IOException it cannot be written; the target is then as it was
     */
    static void writeWhole(File target, String text, boolean flush) throws IOException {
        File parent = target.getParentFile();
        if (!parent.isDirectory() && !parent.mkdirs() && !parent.isDirectory()) {
            throw new IOException(parent + " cannot be made");
        }
        File part = new File(parent, "." + target.getName() + ".part");
        try {
            FileOutputStream out = new FileOutputStream(part);
            try {
                out.write(text.getBytes(StandardCharsets.UTF_8));
                if (flush) {
                    out.getFD().sync();
                }
            } finally {
                out.close();
            }
            if (!part.renameTo(target)) {
                throw new IOException(target + " cannot be written");
            }
        } finally {
            part.delete();
        }
    }
}
