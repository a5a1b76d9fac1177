package org.hierattn.demo;

import android.content.ContentResolver;
import android.content.Context;
import android.net.Uri;
import java.io.IOException;
import java.io.InputStream;
import org.hierattn.core.PreprocessSpec;
import org.hierattn.core.Preprocessor;
import org.hierattn.core.Reason;
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
                    Reason.of(Reason.Kind.NO_MEMORY, "too large for this phone's memory"), error);
        } catch (RuntimeException error) {
            // Decoders, and the apps that keep pictures, throw these at damaged or absent ones.
            throw unreadable(error);
        }
    }

    private byte[] bytes(Uri picture) throws UnreadableImageException {
        try {
            InputStream stream = resolver.openInputStream(picture);
            if (stream == null) {
                throw UnreadableImageException.of(
                        Reason.Kind.NOT_GIVEN, "the app that keeps it gives nothing");
            }
            try {
                return AssetFolder.readAll(stream, MOST_BYTES);
            } catch (AssetFolder.TooLongException error) {
                throw UnreadableImageException.of(Reason.Kind.TOO_MANY_BYTES, error.getMessage(),
                        MOST_BYTES / 1000000);
            } finally {
                stream.close();
            }
        } catch (IOException error) {
            throw unreadable(error);
        } catch (SecurityException error) {
            throw new UnreadableImageException(Reason.of(Reason.Kind.NOT_GIVEN,
                    "the app that keeps it does not allow it"), error);
        }
    }

    private static UnreadableImageException unreadable(Exception error) {
        return new UnreadableImageException(
                Reason.of(Reason.Kind.UNREADABLE, "it could not be read: " + error), error);
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
