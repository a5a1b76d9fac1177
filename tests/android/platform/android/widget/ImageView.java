package android.widget;

import android.content.Context;
import android.graphics.Bitmap;
import android.graphics.drawable.Drawable;
import android.view.View;

/** Stands for Android's. */
public class ImageView extends View {
    public Bitmap bitmap;

    public ImageView(Context context) {
        super(context);
    }

    public void setImageBitmap(Bitmap bitmap) {
        this.bitmap = bitmap;
    }

    public void setImageDrawable(Drawable nothing) {
        bitmap = null;
    }
}
