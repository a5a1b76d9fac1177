package org.hierattn.demo;

import android.content.ContentProvider;
import android.content.ContentValues;
import android.content.Context;
import android.database.Cursor;
import android.database.MatrixCursor;
import android.net.Uri;
import android.os.ParcelFileDescriptor;
import android.provider.OpenableColumns;
import java.io.File;
import java.io.FileNotFoundException;

/**
 * Lends one file of the app's cache to the camera app, which writes its picture there. Only who was
 * granted the address may open it, and the app deletes the file as soon as it has been read.
 */
public final class CaptureProvider extends ContentProvider {
    static final Uri ADDRESS = Uri.parse("content://org.hierattn.demo.capture/photo.jpg");

    /** Where the picture comes to lie. */
    static File file(Context context) {
        return new File(context.getCacheDir(), "photo.jpg");
    }

    /** Delete the picture, if there is one. */
    static void forget(Context context) {
        file(context).delete();
    }

    @Override
    public boolean onCreate() {
        return true;
    }

    @Override
    public ParcelFileDescriptor openFile(Uri address, String mode) throws FileNotFoundException {
        if (!ADDRESS.equals(address)) {
            throw new FileNotFoundException(String.valueOf(address));
        }
        return ParcelFileDescriptor.open(
                file(getContext()), ParcelFileDescriptor.parseMode(mode));
    }

    @Override
    public String getType(Uri address) {
        return "image/jpeg";
    }

    /** Some camera apps ask for name and size first. */
    @Override
    public Cursor query(Uri address, String[] columns, String where, String[] values, String order) {
        MatrixCursor answer = new MatrixCursor(
                new String[] {OpenableColumns.DISPLAY_NAME, OpenableColumns.SIZE});
        if (ADDRESS.equals(address)) {
            answer.addRow(new Object[] {"photo.jpg", file(getContext()).length()});
        }
        return answer;
    }

    @Override
    public Uri insert(Uri address, ContentValues values) {
        throw new UnsupportedOperationException("only openFile");
    }

    @Override
    public int delete(Uri address, String where, String[] values) {
        throw new UnsupportedOperationException("only openFile");
    }

    @Override
    public int update(Uri address, ContentValues values, String where, String[] whereValues) {
        throw new UnsupportedOperationException("only openFile");
    }
}
