package android.content.res;

import java.io.File;
import java.lang.reflect.Field;
import java.util.Locale;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/** Stands for Android's: the app's own words and layouts, from its XML; in English or German. */
public class Resources {
    /** As Android's. */
    public static class Theme {}

    private static final Resources ALL = new Resources();

    public static Resources all() {
        return ALL;
    }

    public String getString(int id) {
        return plain(words(name("string", id), "string").getTextContent());
    }

    public String getString(int id, Object... values) {
        return String.format(Locale.getDefault(), getString(id), values);
    }

    public String[] getStringArray(int id) {
        NodeList items = words(name("array", id), "string-array").getElementsByTagName("item");
        String[] all = new String[items.getLength()];
        for (int place = 0; place < all.length; place++) {
            all[place] = plain(items.item(place).getTextContent());
        }
        return all;
    }

    /** The id itself, so that a test can tell which colour it is. */
    public int getColor(int id, Theme theme) {
        return id;
    }

    /** The root of a layout's file. */
    public Element layout(int id) {
        return parse("layout/" + name("layout", id) + ".xml");
    }

    /** The number of a name such as "melanoma" of kind "id". */
    public static int number(String kind, String name) {
        try {
            return Class.forName("org.hierattn.demo.R$" + kind).getField(name).getInt(null);
        } catch (ReflectiveOperationException error) {
            throw new IllegalArgumentException(kind + "/" + name, error);
        }
    }

    private static String name(String kind, int id) {
        try {
            for (Field field : Class.forName("org.hierattn.demo.R$" + kind).getFields()) {
                if (field.getInt(null) == id) {
                    return field.getName();
                }
            }
        } catch (ReflectiveOperationException error) {
            throw new IllegalStateException(error);
        }
        throw new IllegalArgumentException("no " + kind + " of number " + id);
    }

    private static Element words(String name, String tag) {
        boolean german = "de".equals(Locale.getDefault().getLanguage());
        NodeList all = parse(german ? "values-de/strings.xml" : "values/strings.xml")
                .getElementsByTagName(tag);
        for (int place = 0; place < all.getLength(); place++) {
            if (((Element) all.item(place)).getAttribute("name").equals(name)) {
                return (Element) all.item(place);
            }
        }
        throw new IllegalArgumentException("no " + tag + " " + name);
    }

    private static Element parse(String path) {
        try {
            return DocumentBuilderFactory.newInstance().newDocumentBuilder()
                    .parse(new File(System.getProperty("hierattn.res"), path)).getDocumentElement();
        } catch (Exception error) {
            throw new IllegalStateException(path, error);
        }
    }

    private static String plain(String text) {
        return text.replaceAll("\\s+", " ").replace("\\n", "\n").replace("\\'", "'")
                .replace("\\\"", "\"");
    }
}
