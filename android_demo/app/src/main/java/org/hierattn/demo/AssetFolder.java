package org.hierattn.demo;

import android.content.res.AssetManager;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import org.hierattn.core.AssetReader;

/** Reads the bundle that {@code hierattn bundle} put among the app's assets. */
final class AssetFolder implements AssetReader {
    /** A stream has more bytes than are taken. */
    static final class TooLongException extends IOException {
        private static final long serialVersionUID = 1L;

        TooLongException(String message) {
            super(message);
        }
    }

    private static final String FOLDER = "hierattn/";
    private final AssetManager assets;

    AssetFolder(AssetManager assets) {
        this.assets = assets;
    }

    @Override
    public byte[] read(String path) throws IOException {
        InputStream stream = assets.open(FOLDER + path, AssetManager.ACCESS_STREAMING);
        try {
            return readAll(stream, Integer.MAX_VALUE);
        } finally {
            stream.close();
        }
    }

    /**
     * Read a stream to its end.
     *
     * @param most bytes that are taken
     * @throws TooLongException there are more
     * @throws IOException it fails
     */
    static byte[] readAll(InputStream stream, int most) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream(1 << 16);
        byte[] part = new byte[1 << 16];
        for (int got = stream.read(part); got >= 0; got = stream.read(part)) {
            if (all.size() + (long) got > most) {
                throw new TooLongException("the file has more than " + most / 1000000 + " MB");
            }
            all.write(part, 0, got);
        }
        return all.toByteArray();
    }
}
