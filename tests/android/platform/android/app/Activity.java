package android.app;

import android.content.ContentResolver;
import android.content.Context;
import android.content.ContextWrapper;
import android.content.Intent;
import android.content.pm.ApplicationInfo;
import android.content.pm.PackageInfo;
import android.content.pm.PackageManager;
import android.content.res.AssetManager;
import android.content.res.Resources;
import android.net.Uri;
import android.os.Bundle;
import android.view.LayoutInflater;
import android.view.View;
import android.view.Window;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;

/** Stands for Android's, as much of it as the app's screens use. */
public class Activity extends ContextWrapper {
    public static final int RESULT_OK = -1;

    /** The file that any picture's address stands for. */
    public static byte[] picture;
    /** What a screen reader says unasked, in order. */
    public final List<String> spoken = new ArrayList<String>();
    public Intent startedForResult;
    private View content;

    public Activity() {
        super(null);
    }

    protected void onCreate(Bundle state) {}

    protected void onStart() {}

    protected void onStop() {}

    protected void onDestroy() {}

    protected void onActivityResult(int request, int result, Intent data) {}

    protected void onNewIntent(Intent intent) {}

    public Intent getIntent() {
        return new Intent();
    }

    public void setIntent(Intent intent) {}

    public Window getWindow() {
        return null;
    }

    public boolean isFinishing() {
        return true;
    }

    public void setContentView(int layout) {
        content = LayoutInflater.from(this).inflate(layout, null, false);
    }

    public View findViewById(int id) {
        return content.findViewById(id);
    }

    public void startActivityForResult(Intent intent, int request) {
        startedForResult = intent;
    }

    @Override
    public Context getApplicationContext() {
        return this;
    }

    @Override
    public Resources getResources() {
        return Resources.all();
    }

    @Override
    public Resources.Theme getTheme() {
        return null;
    }

    @Override
    public String getString(int id) {
        return Resources.all().getString(id);
    }

    @Override
    public String getString(int id, Object... values) {
        return Resources.all().getString(id, values);
    }

    @Override
    public AssetManager getAssets() {
        return new AssetManager();
    }

    @Override
    public ContentResolver getContentResolver() {
        return new ContentResolver(this) {
            @Override
            public InputStream openInputStream(Uri address) {
                return new ByteArrayInputStream(picture);
            }
        };
    }

    @Override
    public File getCacheDir() {
        return new File("cache");
    }

    @Override
    public File getNoBackupFilesDir() {
        return new File("private");
    }

    @Override
    public File getExternalFilesDir(String kind) {
        return new File("external");
    }

    @Override
    public String getPackageName() {
        return "org.hierattn.demo";
    }

    @Override
    public ApplicationInfo getApplicationInfo() {
        ApplicationInfo info = new ApplicationInfo();
        info.nativeLibraryDir = "/lib/arm64";
        return info;
    }

    @Override
    public PackageManager getPackageManager() {
        return new android.test.mock.MockPackageManager() {
            @Override
            public PackageInfo getPackageInfo(String name, int flags) {
                return new PackageInfo();
            }
        };
    }
}
