package org.hierattn.core;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.Test;

/** Java's preprocessing against Python's: real photos and generated pictures, not one byte off. */
public class PreprocessVectorsTest {
    private static final int MOST_LISTED = 10;

    private final List<String> differences = new ArrayList<String>();
    private int photos;
    private int generated;
    private int tensors;
    private long bytes;
    private long differing;

    @Test
    public void everyByteIsPythons() throws Exception {
        try (Vectors vectors = new Vectors("preprocess.bin")) {
            Vectors.Picture picture = vectors.nextPicture();
            while (picture != null) {
                check(picture);
                picture = vectors.nextPicture();
            }
        }
        System.out.printf("preprocessing: %d real photos, %d generated pictures, %d tensors, "
                + "%d bytes compared, %d differ%n", photos, generated, tensors, bytes, differing);
        assertEquals(differences.toString(), 0, differing);
        assertTrue("generated pictures are missing", generated > 100);
        int wanted = Integer.getInteger("hierattn.photos", 0);
        assertTrue(photos + " real photos, " + wanted + " were promised", photos >= wanted);
    }

    private void check(Vectors.Picture picture) throws Exception {
        if (picture.name.startsWith("photo ")) {
            photos++;
        } else {
            generated++;
        }
        int orientation = ExifReader.orientation(picture.file);
        if (orientation != picture.orientation) {
            note(picture, "orientation " + orientation, 1);
        }
        if (picture.isPng) {
            RgbImage decoded = new PlainPngDecoder().decode(picture.file);
            compare(picture, "decoded", decoded.rgb, picture.stored.rgb);
        }
        for (int place = 0; place < picture.sizes.length; place++) {
            Preprocessor preprocessor = new Preprocessor(new PreprocessSpec(picture.sizes[place]));
            byte[] wanted = picture.tensors[place];
            tensors++;
            compare(picture, "whole", preprocessor.toPixels(picture.stored, orientation), wanted);
            StreamingResize rows =
                    preprocessor.stream(picture.stored.width, picture.stored.height, orientation);
            picture.stored.sendTo(rows);
            compare(picture, "streamed", rows.finish(), wanted);
            if (picture.stored.rgb.length < 1 << 20) {
                compare(picture, "shuffled", shuffled(preprocessor, picture, orientation), wanted);
            }
            if (picture.isPng) {
                compare(picture, "from PNG", preprocessor.pngToPixels(picture.file), wanted);
            }
        }
    }

    private static byte[] shuffled(
            Preprocessor preprocessor, Vectors.Picture picture, int orientation) {
        RgbImage stored = picture.stored;
        StreamingResize resize = preprocessor.stream(stored.width, stored.height, orientation);
        List<Integer> order = new ArrayList<Integer>();
        for (int y = 0; y < stored.height; y++) {
            order.add(y);
        }
        java.util.Collections.shuffle(order, new Random(stored.height));
        byte[] row = new byte[stored.width * 3];
        for (int y : order) {
            System.arraycopy(stored.rgb, y * row.length, row, 0, row.length);
            resize.row(y, row);
        }
        return resize.finish();
    }

    private void compare(Vectors.Picture picture, String how, byte[] found, byte[] wanted) {
        bytes += wanted.length;
        note(picture, how, Vectors.differing(found, wanted));
    }

    private void note(Vectors.Picture picture, String how, int count) {
        differing += count;
        if (count > 0 && differences.size() < MOST_LISTED) {
            differences.add(picture.name + ", " + how + ": " + count + " bytes");
        }
    }
}
