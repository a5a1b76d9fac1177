package android.view;

import android.content.Context;
import android.content.res.Resources;
import android.widget.Button;
import android.widget.ImageView;
import android.widget.ProgressBar;
import android.widget.TextView;
import org.w3c.dom.Element;
import org.w3c.dom.Node;

/** Stands for Android's: makes views of the app's own layout files. */
public class LayoutInflater {
    private final Context context;

    private LayoutInflater(Context context) {
        this.context = context;
    }

    public static LayoutInflater from(Context context) {
        return new LayoutInflater(context);
    }

    public View inflate(int layout, ViewGroup parent, boolean attach) {
        return make(Resources.all().layout(layout));
    }

    private View make(Element element) {
        if (element.getTagName().equals("include")) {
            String name = element.getAttribute("layout").replace("@layout/", "");
            return make(Resources.all().layout(Resources.number("layout", name)));
        }
        View view = empty(element.getTagName());
        for (int place = 0; place < element.getAttributes().getLength(); place++) {
            Node attribute = element.getAttributes().item(place);
            view.attributes.put(
                    attribute.getNodeName().replace("android:", ""), attribute.getNodeValue());
        }
        if (view.attributes.containsKey("id")) {
            view.id = Resources.number("id", view.attributes.get("id").replace("@+id/", ""));
        }
        view.setVisibility("gone".equals(view.attributes.get("visibility"))
                ? View.GONE : View.VISIBLE);
        view.setEnabled(!"false".equals(view.attributes.get("enabled")));
        for (Node child = element.getFirstChild(); child != null; child = child.getNextSibling()) {
            if (child instanceof Element) {
                ((ViewGroup) view).addView(make((Element) child));
            }
        }
        return view;
    }

    private View empty(String tag) {
        switch (tag) {
            case "TextView":
                return new TextView(context);
            case "Button":
                return new Button(context);
            case "ImageView":
                return new ImageView(context);
            case "ProgressBar":
                return new ProgressBar(context);
            case "LinearLayout":
            case "ScrollView":
                return new ViewGroup(context);
            default:
                throw new IllegalArgumentException(tag);
        }
    }
}
