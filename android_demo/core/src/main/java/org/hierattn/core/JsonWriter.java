package org.hierattn.core;

import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * Writes maps, lists, arrays of numbers, strings, numbers, booleans and null as JSON.
 *
 * <p>Numbers read back as the same double; a float is written as the double of equal value.
 */
public final class JsonWriter {
    private final StringBuilder out = new StringBuilder();

    private JsonWriter() {}

    /**
     * Write a value, with an object's keys in the map's order.
     *
     * @throws JsonException NaN, infinity, a key that is no string, too many levels, or an object
     *     of another class
     */
    public static String write(Object value) throws JsonException {
        JsonWriter writer = new JsonWriter();
        writer.value(value, 0);
        return writer.out.toString();
    }

    private void value(Object value, int depth) throws JsonException {
        if (depth >= Json.DEEPEST && (value instanceof Map || value instanceof List)) {
            throw new JsonException("more than " + Json.DEEPEST + " levels");
        }
        if (value == null || value instanceof Boolean) {
            out.append(value);
        } else if (value instanceof String) {
            string((String) value);
        } else if (value instanceof Number) {
            number((Number) value);
        } else if (value instanceof Map) {
            object((Map<?, ?>) value, depth);
        } else if (value instanceof List) {
            list((List<?>) value, depth);
        } else if (value instanceof float[]) {
            floats((float[]) value);
        } else if (value instanceof double[]) {
            doubles((double[]) value);
        } else {
            throw new JsonException("no JSON for " + value.getClass().getName());
        }
    }

    private void number(Number number) throws JsonException {
        if (number instanceof Double || number instanceof Float) {
            double value = number.doubleValue();
            if (Double.isNaN(value) || Double.isInfinite(value)) {
                throw new JsonException("no JSON for " + value);
            }
            out.append(value);
        } else {
            out.append(number.longValue());
        }
    }

    private void object(Map<?, ?> map, int depth) throws JsonException {
        out.append('{');
        Iterator<? extends Map.Entry<?, ?>> entries = map.entrySet().iterator();
        for (boolean first = true; entries.hasNext(); first = false) {
            Map.Entry<?, ?> entry = entries.next();
            if (!(entry.getKey() instanceof String)) {
                throw new JsonException("a key must be a string, not " + entry.getKey());
            }
            separate(first);
            string((String) entry.getKey());
            out.append(": ");
            value(entry.getValue(), depth + 1);
        }
        out.append('}');
    }

    private void list(List<?> list, int depth) throws JsonException {
        out.append('[');
        for (int place = 0; place < list.size(); place++) {
            separate(place == 0);
            value(list.get(place), depth + 1);
        }
        out.append(']');
    }

    private void floats(float[] numbers) throws JsonException {
        out.append('[');
        for (int place = 0; place < numbers.length; place++) {
            separate(place == 0);
            number(numbers[place]);
        }
        out.append(']');
    }

    private void doubles(double[] numbers) throws JsonException {
        out.append('[');
        for (int place = 0; place < numbers.length; place++) {
            separate(place == 0);
            number(numbers[place]);
        }
        out.append(']');
    }

    private void separate(boolean first) {
        if (!first) {
            out.append(", ");
        }
    }

    /** In ASCII, so that no reader can mistake the encoding. */
    private void string(String text) {
        out.append('"');
        for (int place = 0; place < text.length(); place++) {
            char symbol = text.charAt(place);
            if (symbol == '"' || symbol == '\\') {
                out.append('\\').append(symbol);
            } else if (symbol < 0x20 || symbol > 0x7e) {
                String digits = Integer.toHexString(symbol);
                out.append("\\u").append("0000", 0, 4 - digits.length()).append(digits);
            } else {
                out.append(symbol);
            }
        }
        out.append('"');
    }
}
