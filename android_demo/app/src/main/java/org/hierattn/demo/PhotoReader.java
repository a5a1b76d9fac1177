package org.hierattn.demo;

import android.content.ContentResolver;
import android.content.Context;
import android.net.Uri;
import java.io.IOException;
import java.io.InputStream;
import org.hierattn.core.PreprocessSpec;
import org.hierattn.core.Preprocessor;
import org.hierattn.core.UnreadableImageException;

/**
 * From a picture somewhere on the phone to the network's pixels.
 *
 * <p>PNG goes through our own decoder, all else through {@link PlatformDecoder}.
 */
final class PhotoReader {
    private static final int MOST_BYTES = 64000000;

    private final ContentResolver resolver;
    private final PreprocessSpec spec;
    private final long freeBytes;

    PhotoReader(Context context, PreprocessSpec spec) {
        resolver = context.getContentResolver();
        this.spec = spec;
        freeBytes = Device.freeForPictures(context);
    }

    /**
     * Read, turn and squash a picture.
     *
     * @return bytes [S, S, 3], red first
     * @throws UnreadableImageException not a picture, damaged, or too large for this phone
     */
    byte[] read(Uri picture) throws UnreadableImageException {
        try {
            return toPixels(bytes(picture));
        } catch (OutOfMemoryError error) {
            throw new UnreadableImageException(
                    "it is too large for this phone's memory; choose a smaller one", error);
        } catch (RuntimeException error) {
            // Decoders, and the apps that keep pictures, throw these at damaged or absent ones.
            throw new UnreadableImageException("it could not be read: " + error, error);
        }
    }

    private byte[] bytes(Uri picture) throws UnreadableImageException {
        try {
            InputStream stream = resolver.openInputStream(picture);
            if (stream == null) {
                throw new UnreadableImageException("the app that keeps it gives nothing");
            }
            try {
                return AssetFolder.readAll(stream, MOST_BYTES);
            } finally {
                stream.close();
            }
        } catch (IOException error) {
            throw new UnreadableImageException(String.valueOf(error.getMessage()), error);
        } catch (SecurityException error) {
            throw new UnreadableImageException("the app that keeps it does not allow it", error);
        }
    }

    private byte[] toPixels(byte[] file) throws UnreadableImageException {
        return isPng(file) ? new Preprocessor(spec).pngToPixels(file)
                : PlatformDecoder.within(spec, freeBytes).toPixels(file);
    }

    private static boolean isPng(byte[] file) {
        return file.length > 8 && (file[0] & 255) == 0x89
                && file[1] == 'P' && file[2] == 'N' && file[3] == 'G';
    }
}
