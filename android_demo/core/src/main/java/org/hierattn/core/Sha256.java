package org.hierattn.core;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** The hash by which files of a bundle are known. */
public final class Sha256 {
    private static final char[] DIGITS = "0123456789abcdef".toCharArray();

    private Sha256() {}

    /** The hash of bytes, in 64 small hexadecimal digits. */
    public static String of(byte[] bytes) {
        byte[] hash;
        try {
            hash = MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException error) {
            throw new IllegalStateException("every Java has SHA-256", error);
        }
        char[] text = new char[hash.length * 2];
        for (int place = 0; place < hash.length; place++) {
            text[place * 2] = DIGITS[hash[place] >> 4 & 15];
            text[place * 2 + 1] = DIGITS[hash[place] & 15];
        }
        return new String(text);
    }
}
