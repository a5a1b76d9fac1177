package org.hierattn.core;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A small strict JSON reader.
 *
 * <p>Objects become {@code Map<String, Object>} in file order, arrays {@code List<Object>}, whole
 * numbers {@code Long}, other numbers {@code Double}, the rest String, Boolean and null. Refused:
 * a key given twice, NaN and infinity, numbers beyond a double, unpaired surrogates, bytes that are
 * no UTF-8, more than {@value #DEEPEST} levels, anything behind the value. {@link JsonWriter}
 * writes.
 */
public final class Json {
    /** Levels of objects and arrays that are followed. */
    public static final int DEEPEST = 64;

    private final String text;
    private int at;

    private Json(String text) {
        this.text = text;
    }

    /**
     * Read one value.
     *
     * @throws JsonException says what is wrong and at which character
     */
    public static Object parse(String text) throws JsonException {
        Json reader = new Json(text);
        Object value = reader.value(0);
        reader.skipSpace();
        if (reader.at < text.length()) {
            throw reader.error("more text behind the value");
        }
        return value;
    }

    /**
     * Read one value from UTF-8 bytes.
     *
     * @throws JsonException says what is wrong and at which character
     */
    public static Object parse(byte[] utf8) throws JsonException {
        try {
            return parse(StandardCharsets.UTF_8.newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .onUnmappableCharacter(CodingErrorAction.REPORT)
                    .decode(ByteBuffer.wrap(utf8)).toString());
        } catch (CharacterCodingException error) {
            throw new JsonException("not UTF-8");
        }
    }

    private Object value(int depth) throws JsonException {
        skipSpace();
        if (at == text.length()) {
            throw error("the text ends where a value is needed");
        }
        char first = text.charAt(at);
        switch (first) {
            case '{':
                return object(depth);
            case '[':
                return array(depth);
            case '"':
                return string();
            case 't':
                return word("true", Boolean.TRUE);
            case 'f':
                return word("false", Boolean.FALSE);
            case 'n':
                return word("null", null);
            default:
                return number();
        }
    }

    private Map<String, Object> object(int depth) throws JsonException {
        Map<String, Object> result = new LinkedHashMap<String, Object>();
        enter(depth);
        if (ends('}')) {
            return result;
        }
        do {
            skipSpace();
            if (at == text.length() || text.charAt(at) != '"') {
                throw error("a key in quotes is needed");
            }
            String key = string();
            skipSpace();
            if (!takes(':')) {
                throw error("':' is needed behind a key");
            }
            if (result.containsKey(key)) {
                throw error("the key \"" + key + "\" stands there twice");
            }
            result.put(key, value(depth + 1));
            skipSpace();
        } while (takes(','));
        if (!takes('}')) {
            throw error("',' or '}' is needed");
        }
        return result;
    }

    private List<Object> array(int depth) throws JsonException {
        List<Object> result = new ArrayList<Object>();
        enter(depth);
        if (ends(']')) {
            return result;
        }
        do {
            result.add(value(depth + 1));
            skipSpace();
        } while (takes(','));
        if (!takes(']')) {
            throw error("',' or ']' is needed");
        }
        return result;
    }

    private void enter(int depth) throws JsonException {
        if (depth >= DEEPEST) {
            throw error("more than " + DEEPEST + " levels");
        }
        at++;
    }

    private boolean ends(char bracket) {
        skipSpace();
        return takes(bracket);
    }

    private boolean takes(char wanted) {
        if (at < text.length() && text.charAt(at) == wanted) {
            at++;
            return true;
        }
        return false;
    }

    private String string() throws JsonException {
        StringBuilder result = new StringBuilder();
        at++;
        while (at < text.length()) {
            char symbol = text.charAt(at++);
            if (symbol == '"') {
                checkSurrogates(result);
                return result.toString();
            }
            if (symbol < 0x20) {
                throw error("a control character in a string");
            }
            result.append(symbol == '\\' ? escaped() : symbol);
        }
        throw error("the text ends within a string");
    }

    private char escaped() throws JsonException {
        char symbol = at < text.length() ? text.charAt(at++) : ' ';
        switch (symbol) {
            case '"':
            case '\\':
            case '/':
                return symbol;
            case 'b':
                return '\b';
            case 'f':
                return '\f';
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            case 'u':
                return hexadecimal();
            default:
                throw error("an unknown escape");
        }
    }

    private char hexadecimal() throws JsonException {
        int code = 0;
        for (int digit = 0; digit < 4; digit++) {
            char symbol = at < text.length() ? text.charAt(at++) : ' ';
            // Character.digit alone would take digits of other scripts.
            int value = symbol < 128 ? Character.digit(symbol, 16) : -1;
            if (value < 0) {
                throw error("four hexadecimal digits are needed");
            }
            code = code << 4 | value;
        }
        return (char) code;
    }

    private void checkSurrogates(StringBuilder string) throws JsonException {
        for (int place = 0; place < string.length(); place++) {
            char symbol = string.charAt(place);
            if (!Character.isSurrogate(symbol)) {
                continue;
            }
            boolean paired = Character.isHighSurrogate(symbol) && place + 1 < string.length()
                    && Character.isLowSurrogate(string.charAt(place + 1));
            if (!paired) {
                throw error("half a character (an unpaired surrogate)");
            }
            place++;
        }
    }

    private Object word(String word, Object value) throws JsonException {
        if (!text.startsWith(word, at)) {
            throw error("not a value");
        }
        at += word.length();
        return value;
    }

    private Object number() throws JsonException {
        int start = at;
        takes('-');
        if (!takes('0')) {
            digits();
        }
        boolean whole = true;
        if (takes('.')) {
            whole = false;
            digits();
        }
        if (takes('e') || takes('E')) {
            whole = false;
            if (!takes('+')) {
                takes('-');
            }
            digits();
        }
        String number = text.substring(start, at);
        if (whole) {
            try {
                return Long.valueOf(number);
            } catch (NumberFormatException tooLong) {
                whole = false;
            }
        }
        double value = Double.parseDouble(number);
        if (Double.isInfinite(value)) {
            throw error("the number " + number + " is too large");
        }
        return value;
    }

    private void digits() throws JsonException {
        int start = at;
        while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
            at++;
        }
        if (at == start) {
            throw error("not a value");
        }
    }

    private void skipSpace() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    private JsonException error(String what) {
        return new JsonException("JSON, character " + at + ": " + what);
    }
}
