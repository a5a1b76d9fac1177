package org.hierattn.demo;

import org.hierattn.core.Decision;

/** What the screen shows of one photo; kept in memory only. */
final class Answer {
    /** What the network saw: bytes [S, S, 3]. */
    final byte[] pixels;
    final int side;
    final Decision decision;
    /** The runtime alone, milliseconds. */
    final double networkMs;
    /** Reading, decoding, resizing and answering, milliseconds. */
    final double wholeMs;

    Answer(byte[] pixels, int side, Decision decision, double networkMs, double wholeMs) {
        this.pixels = pixels;
        this.side = side;
        this.decision = decision;
        this.networkMs = networkMs;
        this.wholeMs = wholeMs;
    }
}
