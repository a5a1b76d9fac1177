package org.hierattn.demo;

import android.content.Context;
import android.content.pm.PackageInfo;
import android.content.pm.PackageManager;
import android.os.Build;
import java.util.LinkedHashMap;
import java.util.Map;
import org.hierattn.core.Classifier;
import org.hierattn.core.ModelBundle;

/** What every result begins with: schema, token, status, reason, app, runtime, artefact, device. */
final class Report {
    static final String ERROR = "error";

    private Report() {}

    /**
     * The head of a result.
     *
     * @param reason one line, or null
     * @param bundle null where it could not be read
     * @param classifier null where there is none
     */
    static Map<String, Object> head(Context context, String token, String status, String reason,
            ModelBundle bundle, Classifier classifier) {
        Map<String, Object> runtime = new LinkedHashMap<String, Object>();
        runtime.put("name", Runtime.NAME);
        runtime.put("version", classifier == null ? null : classifier.runtimeVersion());
        Map<String, Object> json = new LinkedHashMap<String, Object>();
        json.put("schema", 1);
        json.put("token", token);
        json.put("status", status);
        json.put("reason", reason);
        json.put("app_version", appVersion(context));
        json.put("runtime", runtime);
        json.put("artefact", bundle == null ? null : artefact(bundle));
        json.put("device", Device.facts(context));
        return json;
    }

    private static Map<String, Object> artefact(ModelBundle bundle) {
        Map<String, Object> json = new LinkedHashMap<String, Object>();
        json.put("file", bundle.artefact);
        json.put("sha256", bundle.sha256);
        json.put("format", bundle.format);
        json.put("precision", bundle.precision);
        return json;
    }

    private static String appVersion(Context context) {
        return packageInfo(context).versionName;
    }

    /**
     * What must be the same for an earlier self-test to count: this very installation of the app
     * and this very build of Android. An update of either may compute differently.
     */
    static String environment(Context context) {
        PackageInfo app = packageInfo(context);
        return "app " + app.versionName + " of " + app.lastUpdateTime + ", " + Build.FINGERPRINT;
    }

    private static PackageInfo packageInfo(Context context) {
        try {
            return context.getPackageManager().getPackageInfo(context.getPackageName(), 0);
        } catch (PackageManager.NameNotFoundException error) {
            throw new IllegalStateException("an app knows itself", error);
        }
    }
}
