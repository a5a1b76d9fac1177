package org.hierattn.core;

import java.io.File;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.TreeMap;

/** A bundle's files in memory, so that a test can damage one. */
final class MapAssets implements AssetReader {
    final TreeMap<String, byte[]> files = new TreeMap<String, byte[]>();

    /** The bundle of the fake model that Python wrote. */
    static MapAssets fake() throws IOException {
        return folder(Vectors.file("bundle"));
    }

    static MapAssets folder(File folder) throws IOException {
        MapAssets assets = new MapAssets();
        assets.add(folder, "");
        return assets;
    }

    private void add(File folder, String prefix) throws IOException {
        for (File file : folder.listFiles()) {
            if (file.isDirectory()) {
                add(file, prefix + file.getName() + "/");
            } else {
                files.put(prefix + file.getName(), Files.readAllBytes(file.toPath()));
            }
        }
    }

    @Override
    public byte[] read(String path) throws IOException {
        byte[] content = files.get(path);
        if (content == null) {
            throw new FileNotFoundException("no such file");
        }
        return content.clone();
    }

    String json() {
        return new String(files.get(ModelBundle.FILE), StandardCharsets.UTF_8);
    }

    /** Write other text into bundle.json, as one who tampers would. */
    MapAssets replaceInJson(String before, String after) {
        String json = json();
        if (!json.contains(before)) {
            throw new IllegalArgumentException("bundle.json has no " + before);
        }
        files.put(ModelBundle.FILE, json.replace(before, after).getBytes(StandardCharsets.UTF_8));
        return this;
    }

    /** Flip the lowest bit of one byte. */
    MapAssets flipBit(String path, int at) {
        files.get(path)[at] ^= 1;
        return this;
    }

    /** Flip a bit, and enter the file's new sha256 wherever the old one stood. */
    MapAssets flipBitAndHash(String path, int at) {
        String before = Sha256.of(files.get(path));
        flipBit(path, at);
        return replaceInJson(before, Sha256.of(files.get(path)));
    }
}
