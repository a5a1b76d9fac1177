import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.FieldVisitor;
import org.objectweb.asm.Handle;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/**
 * Finds what compiled classes use of the platform that android.jar does not have: the compiler took
 * Java's own classes from the desktop, and a phone with the oldest Android has fewer.
 *
 * <p>Arguments: android.jar, folders of classes to check. Prints each missing member; exits 1 if
 * there is any.
 */
public final class LinkCheck {
    private static final String[] PLATFORM = {"java/", "javax/", "android/", "org/xml/", "org/w3c/"};

    private final Map<String, Declared> known = new HashMap<>();
    private final Set<String> missing = new TreeSet<>();

    /** One class of the platform. */
    private static final class Declared {
        String parent;
        String[] interfaces;
        final Set<String> members = new HashSet<>();
    }

    public static void main(String[] arguments) throws IOException {
        LinkCheck check = new LinkCheck();
        try (ZipFile platform = new ZipFile(arguments[0])) {
            for (ZipEntry entry : platform.stream().collect(Collectors.toList())) {
                if (entry.getName().endsWith(".class")) {
                    try (InputStream stream = platform.getInputStream(entry)) {
                        check.learn(stream.readAllBytes());
                    }
                }
            }
        }
        for (int place = 1; place < arguments.length; place++) {
            try (Stream<Path> files = Files.walk(Paths.get(arguments[place]))) {
                for (Path file : files.collect(Collectors.toList())) {
                    if (file.toString().endsWith(".class")) {
                        check.visit(Files.readAllBytes(file));
                    }
                }
            }
        }
        check.missing.forEach(System.out::println);
        System.exit(check.missing.isEmpty() ? 0 : 1);
    }

    private void learn(byte[] compiled) {
        Declared declared = new Declared();
        ClassReader reader = new ClassReader(compiled);
        declared.parent = reader.getSuperName();
        declared.interfaces = reader.getInterfaces();
        reader.accept(new ClassVisitor(Opcodes.ASM9) {
            @Override
            public MethodVisitor visitMethod(int access, String name, String descriptor,
                    String signature, String[] exceptions) {
                declared.members.add(name + descriptor);
                return null;
            }

            @Override
            public FieldVisitor visitField(int access, String name, String descriptor,
                    String signature, Object value) {
                declared.members.add(name);
                return null;
            }
        }, ClassReader.SKIP_CODE | ClassReader.SKIP_DEBUG);
        known.put(reader.getClassName(), declared);
    }

    private void visit(byte[] compiled) {
        ClassReader reader = new ClassReader(compiled);
        String user = reader.getClassName();
        reader.accept(new ClassVisitor(Opcodes.ASM9) {
            @Override
            public MethodVisitor visitMethod(int access, String name, String descriptor,
                    String signature, String[] exceptions) {
                return new MethodVisitor(Opcodes.ASM9) {
                    @Override
                    public void visitMethodInsn(int code, String owner, String called,
                            String shape, boolean isInterface) {
                        need(user, owner, called + shape);
                    }

                    @Override
                    public void visitFieldInsn(int code, String owner, String field, String type) {
                        need(user, owner, field);
                    }

                    @Override
                    public void visitTypeInsn(int code, String type) {
                        need(user, type, null);
                    }

                    @Override
                    public void visitInvokeDynamicInsn(String called, String shape, Handle handle,
                            Object... arguments) {
                        missing.add(user + " uses invokedynamic");
                    }
                };
            }
        }, ClassReader.SKIP_DEBUG);
    }

    private void need(String user, String owner, String member) {
        String type = owner.replaceFirst("^\\[+L?", "").replaceFirst(";$", "");
        for (String start : PLATFORM) {
            if (type.startsWith(start)) {
                boolean array = owner.startsWith("[");
                if (!known.containsKey(type)) {
                    missing.add(user + " uses " + type);
                } else if (member != null && !array && !has(type, member)) {
                    missing.add(user + " uses " + type + "." + member);
                }
            }
        }
    }

    private boolean has(String type, String member) {
        Declared declared = known.get(type);
        if (declared == null) {
            return false;
        }
        if (declared.members.contains(member)
                || declared.parent != null && has(declared.parent, member)) {
            return true;
        }
        for (String parent : declared.interfaces) {
            if (has(parent, member)) {
                return true;
            }
        }
        // An interface's value also has what every object has.
        return declared.parent == null && !"java/lang/Object".equals(type)
                && has("java/lang/Object", member);
    }
}
