package org.hierattn.core;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Reads the fields of a JSON object and names the one that is absent or of another kind. */
final class Fields {
    private final Map<?, ?> map;
    private final String where;

    /**
     * Wrap an object.
     *
     * @param value what the JSON holds there
     * @param where how an error names it, such as "bundle.json"
     */
    Fields(Object value, String where) throws BundleException {
        if (!(value instanceof Map)) {
            throw new BundleException(where + ": an object is needed; bundle again");
        }
        map = (Map<?, ?>) value;
        this.where = where;
    }

    BundleException wrong(String name, String needed) {
        return new BundleException(where + ": field '" + name + "': " + needed + "; bundle again");
    }

    boolean isNull(String name) throws BundleException {
        return any(name) == null;
    }

    Object any(String name) throws BundleException {
        if (!map.containsKey(name)) {
            throw wrong(name, "it is missing");
        }
        return map.get(name);
    }

    String text(String name) throws BundleException {
        Object value = any(name);
        if (!(value instanceof String)) {
            throw wrong(name, "a string is needed");
        }
        return (String) value;
    }

    boolean truth(String name) throws BundleException {
        Object value = any(name);
        if (!(value instanceof Boolean)) {
            throw wrong(name, "true or false is needed");
        }
        return (Boolean) value;
    }

    double number(String name) throws BundleException {
        return asNumber(name, any(name));
    }

    long whole(String name, long least, long most) throws BundleException {
        Object value = any(name);
        if (!(value instanceof Long) || (Long) value < least || (Long) value > most) {
            throw wrong(name, "a whole number from " + least + " to " + most + " is needed");
        }
        return (Long) value;
    }

    Fields object(String name) throws BundleException {
        return new Fields(any(name), where + ": " + name);
    }

    /** The names of all fields. */
    List<String> names() {
        List<String> names = new ArrayList<String>();
        for (Object key : map.keySet()) {
            names.add((String) key);
        }
        return names;
    }

    List<?> list(String name) throws BundleException {
        Object value = any(name);
        if (!(value instanceof List)) {
            throw wrong(name, "a list is needed");
        }
        return (List<?>) value;
    }

    List<String> texts(String name) throws BundleException {
        List<String> texts = new ArrayList<String>();
        for (Object value : list(name)) {
            if (!(value instanceof String)) {
                throw wrong(name, "a list of strings is needed");
            }
            texts.add((String) value);
        }
        return texts;
    }

    double[] numbers(String name, int count) throws BundleException {
        List<?> values = list(name);
        if (values.size() != count) {
            throw wrong(name, count + " numbers are needed, not " + values.size());
        }
        double[] numbers = new double[count];
        for (int place = 0; place < count; place++) {
            numbers[place] = asNumber(name, values.get(place));
        }
        return numbers;
    }

    /** A sha256 in small hexadecimal digits. */
    String sha256(String name) throws BundleException {
        String value = text(name);
        if (!value.matches("[0-9a-f]{64}")) {
            throw wrong(name, "a sha256 of 64 digits is needed");
        }
        return value;
    }

    private double asNumber(String name, Object value) throws BundleException {
        if (!(value instanceof Number)) {
            throw wrong(name, "a number is needed");
        }
        return ((Number) value).doubleValue();
    }
}
