import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.FieldVisitor;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/**
 * Makes classes of Java 11 to 17 readable for tools of Java 8: the version becomes 52, the attributes
 * of nests go, and private members of nests open up, as a compiler of Java 8 would have done by
 * accessors. Instructions stay as they are; lambdas and string concatenation are the next tool's.
 *
 * <p>Arguments: a folder to read, a folder to write.
 */
public final class LowerClasses {
    private LowerClasses() {}

    public static void main(String[] arguments) throws IOException {
        Path from = Paths.get(arguments[0]);
        Path to = Paths.get(arguments[1]);
        List<Path> classes;
        try (Stream<Path> files = Files.walk(from)) {
            classes = files.filter(file -> file.toString().endsWith(".class"))
                    .sorted().collect(Collectors.toList());
        }
        refuseAccidentalOverriding(classes);
        for (Path file : classes) {
            Path target = to.resolve(from.relativize(file).toString());
            Files.createDirectories(target.getParent());
            Files.write(target, lower(Files.readAllBytes(file)));
        }
    }

    /** An opened method that a subclass has too would be overridden, which a private one is not. */
    private static void refuseAccidentalOverriding(List<Path> classes) throws IOException {
        Map<String, String> parents = new HashMap<>();
        Map<String, Set<String>> methods = new HashMap<>();
        Map<String, Set<String>> opened = new HashMap<>();
        for (Path file : classes) {
            ClassReader reader = new ClassReader(Files.readAllBytes(file));
            String name = reader.getClassName();
            parents.put(name, reader.getSuperName());
            methods.put(name, new TreeSet<>());
            opened.put(name, new HashSet<>());
            reader.accept(new ClassVisitor(Opcodes.ASM9) {
                @Override
                public MethodVisitor visitMethod(int access, String method, String descriptor,
                        String signature, String[] exceptions) {
                    boolean ofObjects = (access & Opcodes.ACC_STATIC) == 0 && !method.startsWith("<");
                    if (ofObjects) {
                        methods.get(name).add(method + descriptor);
                    }
                    if (ofObjects && (access & Opcodes.ACC_PRIVATE) != 0) {
                        opened.get(name).add(method + descriptor);
                    }
                    return null;
                }
            }, ClassReader.SKIP_CODE | ClassReader.SKIP_DEBUG);
        }
        for (String name : methods.keySet()) {
            for (String up = parents.get(name); opened.containsKey(up); up = parents.get(up)) {
                for (String method : methods.get(name)) {
                    if (opened.get(up).contains(method)) {
                        throw new IllegalStateException(
                                name + " would override the private " + up + "." + method);
                    }
                }
            }
        }
    }

    private static byte[] lower(byte[] compiled) {
        ClassReader reader = new ClassReader(compiled);
        ClassWriter writer = new ClassWriter(0);
        reader.accept(new Lowered(writer), 0);
        return writer.toByteArray();
    }

    private static final class Lowered extends ClassVisitor {
        private boolean opens;

        Lowered(ClassVisitor next) {
            super(Opcodes.ASM9, next);
        }

        @Override
        public void visit(int version, int access, String name, String signature, String parent,
                String[] interfaces) {
            // Up to version 54 private methods are called by invokespecial, which must stay.
            opens = (version & 0xFFFF) >= Opcodes.V11 && (access & Opcodes.ACC_INTERFACE) == 0;
            int lowered = Math.min(version & 0xFFFF, Opcodes.V1_8);
            super.visit(lowered, access, name, signature, parent, interfaces);
        }

        @Override
        public void visitNestHost(String host) {}

        @Override
        public void visitNestMember(String member) {}

        @Override
        public MethodVisitor visitMethod(int access, String name, String descriptor,
                String signature, String[] exceptions) {
            return super.visitMethod(opened(access), name, descriptor, signature, exceptions);
        }

        @Override
        public FieldVisitor visitField(int access, String name, String descriptor,
                String signature, Object value) {
            return super.visitField(opened(access), name, descriptor, signature, value);
        }

        private int opened(int access) {
            return opens ? access & ~Opcodes.ACC_PRIVATE : access;
        }
    }
}
