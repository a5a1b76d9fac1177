package org.hierattn.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import org.hierattn.core.AssetReader;
import org.hierattn.core.JsonWriter;
import org.hierattn.core.ModelBundle;
import org.hierattn.core.PlainPngDecoder;
import org.hierattn.core.SelfTest;
import org.hierattn.core.SelfTestResult;

/**
 * Runs the app's self-test on a desktop's Java, with the classes that go into the dex and a library
 * built from source for this machine. Never a latency.
 *
 * <p>Argument: the bundle's folder. Prints the result as JSON; exits 1 unless it passed.
 */
public final class OrtOnDesktop {
    private OrtOnDesktop() {}

    public static void main(String[] arguments) throws Exception {
        final Path folder = Paths.get(arguments[0]);
        AssetReader assets = new AssetReader() {
            @Override
            public byte[] read(String path) throws IOException {
                return Files.readAllBytes(folder.resolve(path));
            }
        };
        ModelBundle bundle = ModelBundle.load(assets);
        OrtClassifier classifier = new OrtClassifier(bundle.readModel(assets), bundle, 1);
        try {
            SelfTestResult result =
                    SelfTest.run(bundle, assets, new PlainPngDecoder(), classifier);
            System.out.println(JsonWriter.write(result.toJson()));
            System.exit(result.passed() ? 0 : 1);
        } finally {
            classifier.close();
        }
    }
}
