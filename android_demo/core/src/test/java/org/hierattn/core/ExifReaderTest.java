package org.hierattn.core;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.Test;

public class ExifReaderTest {
    /** The file is one that Python refuses to read. */
    private static final int REFUSED = 0;

    @Test
    public void agreesWithPython() throws Exception {
        List<String> wrong = new ArrayList<String>();
        int compared = 0;
        int refused = 0;
        try (Vectors vectors = new Vectors("exif.bin")) {
            byte[] name = vectors.nextBytes();
            while (name != null) {
                int expected = vectors.nextNumber();
                byte[] file = vectors.nextBytes();
                int found = ExifReader.orientation(file);
                assertTrue(found >= 1 && found <= 8);
                if (expected == REFUSED) {
                    refused++;
                } else {
                    compared++;
                    if (JpegLayout.isJpeg(file)) {
                        JpegLayout.check(file);
                    }
                    if (found != expected) {
                        wrong.add(new String(name, StandardCharsets.UTF_8) + ": " + found
                                + ", Python turns by " + expected);
                    }
                }
                name = vectors.nextBytes();
            }
        }
        System.out.println("EXIF: " + compared + " files agree with Python but for " + wrong.size()
                + "; " + refused + " more, which Python refuses, do no harm");
        assertEquals(wrong.toString(), 0, wrong.size());
    }

    @Test
    public void nothingIsUpright() {
        assertEquals(1, ExifReader.orientation(new byte[0]));
        assertEquals(1, ExifReader.orientation("GIF89a".getBytes(StandardCharsets.US_ASCII)));
        assertEquals(1, ExifReader.orientationOfExif(new byte[3]));
    }

    /** Changed and cut files of HEIC: any answer of 1 to 8 will do, as long as there is one. */
    @Test
    public void damagedBoxesBreakNothing() throws Exception {
        byte[] whole = Vectors.bytes("turned.heic");
        assertEquals(6, ExifReader.orientation(whole));
        Random random = new Random(2);
        for (int run = 0; run < 20000; run++) {
            byte[] file = java.util.Arrays.copyOf(whole, 1 + random.nextInt(whole.length));
            for (int change = random.nextInt(4); change > 0; change--) {
                file[random.nextInt(file.length)] = (byte) random.nextInt(256);
            }
            int found = ExifReader.orientation(file);
            assertTrue(found >= 1 && found <= 8);
        }
    }

    @Test
    public void noBytesBreakIt() {
        Random random = new Random(1);
        byte[][] heads = {
            {(byte) 0xff, (byte) 0xd8, (byte) 0xff, (byte) 0xe1, 0, 40, 'E', 'x', 'i', 'f', 0, 0},
            {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0, 20, 'z', 'T', 'X', 't'},
            {0, 0, 0, 12, 'f', 't', 'y', 'p', 'a', 'v', 'i', 'f', 0, 0, 0, 60, 'm', 'e', 't', 'a'},
            {'R', 'I', 'F', 'F', 0, 0, 0, 0, 'W', 'E', 'B', 'P', 'E', 'X', 'I', 'F'},
        };
        for (int run = 0; run < 20000; run++) {
            byte[] head = heads[run % heads.length];
            byte[] file = new byte[head.length + random.nextInt(60)];
            random.nextBytes(file);
            System.arraycopy(head, 0, file, 0, head.length);
            int found = ExifReader.orientation(file);
            assertTrue(found >= 1 && found <= 8);
        }
    }
}
