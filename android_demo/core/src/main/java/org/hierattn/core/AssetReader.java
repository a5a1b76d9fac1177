package org.hierattn.core;

import java.io.IOException;

/** Reads the files of a bundle, from an app's assets or from a folder. */
public interface AssetReader {

    /**
     * Read a whole file.
     *
     * @param path relative to the bundle's folder, with "/" between its parts
     * @throws IOException there is no such file, or it cannot be read
     */
    byte[] read(String path) throws IOException;
}
