package org.hierattn.core;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Map;
import org.junit.Assume;

/** What Python wrote for these tests (tests/android/vectors.py): one picture in memory at a time. */
final class Vectors implements AutoCloseable {
    /** One picture with the tensors that Python makes of it. */
    static final class Picture {
        String name;
        boolean isPng;
        int orientation;
        RgbImage stored;
        byte[] file;
        int[] sizes;
        byte[][] tensors;
    }

    private final DataInputStream in;

    Vectors(String name) throws IOException {
        in = new DataInputStream(new BufferedInputStream(new FileInputStream(file(name)), 1 << 16));
    }

    /** A file of the vectors; without the property the test is skipped, as in a plain Gradle run. */
    static File file(String name) {
        String folder = System.getProperty("hierattn.vectors");
        Assume.assumeTrue("no vectors: run 'make test-android'", folder != null);
        return new File(folder, name);
    }

    static byte[] bytes(String name) throws IOException {
        return Files.readAllBytes(file(name).toPath());
    }

    static Fields numbers() throws Exception {
        return new Fields(Json.parse(bytes("numbers.json")), "numbers.json");
    }

    /** The next picture of preprocess.bin, null behind the last. */
    Picture nextPicture() throws IOException {
        Picture picture = new Picture();
        byte[] name = nextBytes();
        if (name == null) {
            return null;
        }
        picture.name = new String(name, StandardCharsets.UTF_8);
        picture.isPng = in.readInt() == 1;
        picture.orientation = in.readInt();
        int width = in.readInt();
        int height = in.readInt();
        picture.file = nextBytes();
        picture.stored = new RgbImage(width, height, nextBytes());
        picture.sizes = new int[in.readInt()];
        picture.tensors = new byte[picture.sizes.length][];
        for (int place = 0; place < picture.sizes.length; place++) {
            picture.sizes[place] = in.readInt();
            picture.tensors[place] = nextBytes();
        }
        return picture;
    }

    int nextNumber() throws IOException {
        return in.readInt();
    }

    /** The next byte array, null at the end of the file. */
    byte[] nextBytes() throws IOException {
        int length;
        try {
            length = in.readInt();
        } catch (EOFException end) {
            return null;
        }
        byte[] content = new byte[length];
        in.readFully(content);
        return content;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }

    /** How many bytes differ; a difference in length counts too. */
    static int differing(byte[] found, byte[] wanted) {
        int count = Math.abs(found.length - wanted.length);
        for (int place = 0; place < Math.min(found.length, wanted.length); place++) {
            count += found[place] == wanted[place] ? 0 : 1;
        }
        return count;
    }

    /** Doubles of a JSON list. */
    static double[] doubles(Map<?, ?> map, String name) throws BundleException {
        Fields fields = new Fields(map, "numbers.json");
        return fields.numbers(name, fields.list(name).size());
    }
}
