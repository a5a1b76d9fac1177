package org.hierattn.demo;

import android.app.ActivityManager;
import android.content.Context;
import android.content.Intent;
import android.content.IntentFilter;
import android.os.BatteryManager;
import android.os.Build;
import android.os.PowerManager;
import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a result says of the phone. Fields that this Android cannot tell are null. */
final class Device {
    /** PowerManager.THERMAL_STATUS_NONE and so on, by value; the words for it are R.array.thermal. */
    static final List<String> THERMAL = Collections.unmodifiableList(Arrays.asList(
            "none", "light", "moderate", "severe", "critical", "emergency", "shutdown"));

    private static final int ANDROID_8 = 26;
    /** Within what a 32-bit process can address. */
    private static final long MOST_FOR_PICTURES = 1000000000L;

    private Device() {}

    /** manufacturer, model, chip, android, sdk, abi, cores. */
    static Map<String, Object> facts(Context context) {
        Map<String, Object> json = new LinkedHashMap<String, Object>();
        json.put("manufacturer", Build.MANUFACTURER);
        json.put("model", Build.MODEL);
        json.put("chip", chip());
        json.put("android", Build.VERSION.RELEASE);
        json.put("sdk", Build.VERSION.SDK_INT);
        json.put("abi", abi(context));
        json.put("cores", java.lang.Runtime.getRuntime().availableProcessors());
        return json;
    }

    /** SOC_MANUFACTURER and SOC_MODEL since Android 12, which our android.jar does not know. */
    private static String chip() {
        String maker = buildField("SOC_MANUFACTURER");
        String model = buildField("SOC_MODEL");
        if (model == null) {
            return Build.HARDWARE;
        }
        return maker == null ? model : maker + " " + model;
    }

    private static String buildField(String name) {
        try {
            Field field = Build.class.getField(name);
            Object value = field.get(null);
            return value == null || Build.UNKNOWN.equals(value) ? null : value.toString();
        } catch (ReflectiveOperationException olderAndroid) {
            return null;
        }
    }

    /** Of this process: the folder of its libraries is named after it. */
    private static String abi(Context context) {
        String folder = String.valueOf(context.getApplicationInfo().nativeLibraryDir);
        String last = folder.substring(folder.lastIndexOf('/') + 1);
        if ("arm64".equals(last)) {
            return "arm64-v8a";
        }
        if ("arm".equals(last)) {
            return "armeabi-v7a";
        }
        if ("x86".equals(last) || "x86_64".equals(last)) {
            return last;
        }
        return Build.SUPPORTED_ABIS[0];
    }

    /** How warm the phone says it is; null before Android 10. */
    static String thermal(Context context) {
        PowerManager power = (PowerManager) context.getSystemService(Context.POWER_SERVICE);
        try {
            Object status =
                    PowerManager.class.getMethod("getCurrentThermalStatus").invoke(power);
            int value = (Integer) status;
            return value >= 0 && value < THERMAL.size() ? THERMAL.get(value) : "status " + value;
        } catch (ReflectiveOperationException olderAndroid) {
            return null;
        } catch (RuntimeException notTold) {
            return null;
        }
    }

    /** percent, charging, temperature_c. */
    static Map<String, Object> battery(Context context) {
        Map<String, Object> json = new LinkedHashMap<String, Object>();
        Intent state = context.registerReceiver(
                null, new IntentFilter(Intent.ACTION_BATTERY_CHANGED));
        int level = number(state, BatteryManager.EXTRA_LEVEL);
        int scale = number(state, BatteryManager.EXTRA_SCALE);
        int status = number(state, BatteryManager.EXTRA_STATUS);
        int tenths = number(state, BatteryManager.EXTRA_TEMPERATURE);
        boolean known = level >= 0 && scale > 0;
        json.put("percent", known ? (Object) (100.0 * level / scale) : null);
        boolean charging = status == BatteryManager.BATTERY_STATUS_CHARGING
                || status == BatteryManager.BATTERY_STATUS_FULL;
        json.put("charging", status < 0 ? null : (Object) charging);
        json.put("temperature_c", tenths < 0 ? null : (Object) (tenths / 10.0));
        return json;
    }

    private static int number(Intent state, String name) {
        return state == null ? -1 : state.getIntExtra(name, -1);
    }

    /**
     * What bitmaps and their decoder may take, bytes: half of what is free. Bitmaps lie in the phone's
     * memory since Android 8, before in the app's share of Java's.
     */
    static long freeForPictures(Context context) {
        if (Build.VERSION.SDK_INT < ANDROID_8) {
            java.lang.Runtime heap = java.lang.Runtime.getRuntime();
            return (heap.maxMemory() - heap.totalMemory() + heap.freeMemory()) / 2;
        }
        ActivityManager.MemoryInfo memory = new ActivityManager.MemoryInfo();
        ((ActivityManager) context.getSystemService(Context.ACTIVITY_SERVICE))
                .getMemoryInfo(memory);
        return Math.min(MOST_FOR_PICTURES, (memory.availMem - memory.threshold) / 2);
    }

    /** The most memory this process ever held, megabytes (10^6 bytes); null if not told. */
    static Double peakMemoryMb() {
        try {
            BufferedReader lines = new BufferedReader(new InputStreamReader(
                    new FileInputStream("/proc/self/status"), StandardCharsets.US_ASCII));
            try {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    if (line.startsWith("VmHWM:")) {
                        String[] words = line.split("\\s+");
                        return Long.parseLong(words[1]) * 1024 / 1e6;
                    }
                }
            } finally {
                lines.close();
            }
        } catch (IOException notTold) {
            return null;
        } catch (RuntimeException notANumber) {
            return null;
        }
        return null;
    }
}
