package android.content.res;

import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;

/** Stands for Android's: a folder. */
public class AssetManager {
    public static final int ACCESS_STREAMING = 2;

    public InputStream open(String path, int mode) throws IOException {
        return new FileInputStream(new File(System.getProperty("hierattn.assets"), path));
    }
}
