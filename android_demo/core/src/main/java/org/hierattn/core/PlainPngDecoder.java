package org.hierattn.core;

import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * Decodes PNG in plain Java, to the pixels that Pillow gives Python: no colour management, 16 bits
 * to the high byte, alpha and transparent colours over white, the first picture of an animation.
 *
 * <p>Platform decoders differ here: they multiply by alpha, follow colour profiles, or reduce 16
 * bits in their own way. A picture that is not interlaced can be handed on row by row.
 */
public final class PlainPngDecoder implements PngDecoder {
    static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    private static final int[][] ADAM7 = {
        {0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}
    };

    @Override
    public RgbImage decode(byte[] png) throws UnreadableImageException {
        final PngHeader header = PngHeader.read(png);
        if (header.pixels() * 3 > Integer.MAX_VALUE - 8) {
            throw UnreadableImageException.of(Reason.Kind.NO_MEMORY,
                    "PNG: too many pixels for memory: " + header.sides());
        }
        final byte[] rgb = new byte[(int) header.pixels() * 3];
        decodeRows(png, header, new PixelRows() {
            @Override
            public void row(int y, byte[] row) {
                System.arraycopy(row, 0, rgb, y * header.width * 3, header.width * 3);
            }
        });
        return new RgbImage(header.width, header.height, rgb);
    }

    /**
     * The width and height of a PNG as stored, without decoding it.
     *
     * @return two numbers, pixels
     * @throws UnreadableImageException damaged, or not a PNG
     */
    public static int[] sides(byte[] png) throws UnreadableImageException {
        PngHeader header = PngHeader.read(png);
        return new int[] {header.width, header.height};
    }

    /**
     * Decode row by row, with memory for two rows; an interlaced picture is kept whole instead.
     *
     * @param png the bytes of the file
     * @param receiver takes each row once
     * @throws UnreadableImageException damaged, or not a PNG; rows may have been sent before
     */
    public void decode(byte[] png, PixelRows receiver) throws UnreadableImageException {
        PngHeader header = PngHeader.read(png);
        if (header.interlaced) {
            decode(png).sendTo(receiver);
        } else {
            decodeRows(png, header, receiver);
        }
    }

    private static void decodeRows(byte[] png, PngHeader header, PixelRows receiver)
            throws UnreadableImageException {
        if (header.pixels() > DecodePlan.MOST_PIXELS) {
            throw UnreadableImageException.of(Reason.Kind.TOO_MANY_PIXELS,
                    "PNG: " + header.sides() + " pixels are too many",
                    DecodePlan.megapixels(header.pixels()),
                    DecodePlan.megapixels(DecodePlan.MOST_PIXELS));
        }
        Inflater inflater = new Inflater();
        try {
            PngData data = new PngData(png, header, inflater);
            if (header.interlaced) {
                decodeInterlaced(data, header, receiver);
            } else {
                byte[] rgb = new byte[header.width * 3];
                data.startPass(header.width);
                for (int y = 0; y < header.height; y++) {
                    header.toRgb(data.nextRow(), header.width, rgb);
                    receiver.row(y, rgb);
                }
            }
        } catch (DataFormatException error) {
            throw UnreadableImageException.damaged("PNG: damaged pixels: " + error.getMessage(), error);
        } finally {
            inflater.end();
        }
    }

    private static void decodeInterlaced(PngData data, PngHeader header, PixelRows receiver)
            throws UnreadableImageException, DataFormatException {
        byte[][] rows = new byte[header.height][header.width * 3];
        for (int[] pass : ADAM7) {
            int width = (header.width - pass[0] + pass[2] - 1) / pass[2];
            if (width <= 0 || header.height <= pass[1]) {
                continue;
            }
            byte[] rgb = new byte[width * 3];
            data.startPass(width);
            for (int y = pass[1]; y < header.height; y += pass[3]) {
                header.toRgb(data.nextRow(), width, rgb);
                for (int x = 0; x < width; x++) {
                    System.arraycopy(rgb, x * 3, rows[y], (pass[0] + x * pass[2]) * 3, 3);
                }
            }
        }
        for (int y = 0; y < header.height; y++) {
            receiver.row(y, rows[y]);
        }
    }

    /** The pixel data: chunks IDAT joined, inflated, and their filters undone. */
    private static final class PngData {
        private final byte[] png;
        private final PngHeader header;
        private final Inflater inflater;
        private int at;
        private byte[] row;
        private byte[] above;

        PngData(byte[] png, PngHeader header, Inflater inflater) {
            this.png = png;
            this.header = header;
            this.inflater = inflater;
            at = header.dataAt;
        }

        void startPass(int width) {
            int bytes = (int) (((long) width * header.bitsPerPixel() + 7) / 8);
            row = new byte[bytes];
            above = new byte[bytes];
        }

        byte[] nextRow() throws UnreadableImageException, DataFormatException {
            byte[] filter = new byte[1];
            fill(filter);
            byte[] last = above;
            above = row;
            row = last;
            fill(row);
            PngFilter.undo(filter[0], row, above, Math.max(header.bitsPerPixel() / 8, 1));
            return row;
        }

        private void fill(byte[] target) throws UnreadableImageException, DataFormatException {
            int filled = 0;
            while (filled < target.length) {
                int read = inflater.inflate(target, filled, target.length - filled);
                filled += read;
                if (read == 0) {
                    if (inflater.finished() || inflater.needsDictionary() || !nextChunk()) {
                        throw UnreadableImageException.damaged("PNG: the file is cut short");
                    }
                }
            }
        }

        private boolean nextChunk() throws UnreadableImageException {
            if (at + 12 > png.length || PngHeader.number(png, at + 4) != PngHeader.IDAT) {
                return false;
            }
            int length = PngHeader.chunkLength(png, at);
            inflater.setInput(png, at + 8, length);
            at += length + 12;
            return true;
        }
    }

    /** The five filters of PNG, undone in place. */
    private static final class PngFilter {
        private PngFilter() {}

        static void undo(int filter, byte[] row, byte[] above, int step)
                throws UnreadableImageException {
            for (int x = 0; x < row.length; x++) {
                int left = x >= step ? row[x - step] & 255 : 0;
                int up = above[x] & 255;
                int upLeft = x >= step ? above[x - step] & 255 : 0;
                switch (filter) {
                    case 0:
                        return;
                    case 1:
                        row[x] += left;
                        break;
                    case 2:
                        row[x] += up;
                        break;
                    case 3:
                        row[x] += (left + up) / 2;
                        break;
                    case 4:
                        row[x] += paeth(left, up, upLeft);
                        break;
                    default:
                        throw UnreadableImageException.damaged("PNG: unknown filter " + filter);
                }
            }
        }

        private static int paeth(int left, int up, int upLeft) {
            int guess = left + up - upLeft;
            int toLeft = Math.abs(guess - left);
            int toUp = Math.abs(guess - up);
            int toUpLeft = Math.abs(guess - upLeft);
            return toLeft <= toUp && toLeft <= toUpLeft ? left : toUp <= toUpLeft ? up : upLeft;
        }
    }
}
