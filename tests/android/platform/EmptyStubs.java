import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.Collections;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/**
 * Makes classes of android.jar, all of whose methods throw "Stub!", do nothing and give nought, as
 * Android's Gradle plugin does for unit tests; nothing is final any more.
 *
 * <p>Arguments: a jar to read, a jar to write.
 */
public final class EmptyStubs {
    private EmptyStubs() {}

    public static void main(String[] arguments) throws IOException {
        try (ZipFile from = new ZipFile(arguments[0]);
                OutputStream file = Files.newOutputStream(Paths.get(arguments[1]));
                ZipOutputStream to = new ZipOutputStream(file)) {
            for (ZipEntry entry : Collections.list(from.entries())) {
                if (!entry.getName().startsWith("android/") || entry.isDirectory()) {
                    continue;
                }
                to.putNextEntry(new ZipEntry(entry.getName()));
                try (InputStream stream = from.getInputStream(entry)) {
                    ClassWriter writer = new ClassWriter(ClassWriter.COMPUTE_MAXS);
                    new ClassReader(stream).accept(new Emptied(writer), 0);
                    to.write(writer.toByteArray());
                }
            }
        }
    }

    private static final class Emptied extends ClassVisitor {
        Emptied(ClassVisitor next) {
            super(Opcodes.ASM5, next);
        }

        @Override
        public void visit(int version, int access, String name, String signature, String parent,
                String[] interfaces) {
            super.visit(version, access & ~Opcodes.ACC_FINAL, name, signature, parent, interfaces);
        }

        @Override
        public MethodVisitor visitMethod(int access, String name, String descriptor,
                String signature, String[] exceptions) {
            final Type result = Type.getReturnType(descriptor);
            return new MethodVisitor(Opcodes.ASM5, super.visitMethod(
                    access & ~Opcodes.ACC_FINAL, name, descriptor, signature, exceptions)) {
                private MethodVisitor live = mv;

                @Override
                public void visitTypeInsn(int opcode, String type) {
                    if (opcode == Opcodes.NEW && type.equals("java/lang/RuntimeException")) {
                        giveNought();
                        mv = null;
                    }
                    super.visitTypeInsn(opcode, type);
                }

                private void giveNought() {
                    int sort = result.getSort();
                    if (sort == Type.LONG) {
                        mv.visitInsn(Opcodes.LCONST_0);
                    } else if (sort == Type.DOUBLE) {
                        mv.visitInsn(Opcodes.DCONST_0);
                    } else if (sort == Type.FLOAT) {
                        mv.visitInsn(Opcodes.FCONST_0);
                    } else if (sort >= Type.ARRAY) {
                        mv.visitInsn(Opcodes.ACONST_NULL);
                    } else if (sort != Type.VOID) {
                        mv.visitInsn(Opcodes.ICONST_0);
                    }
                    mv.visitInsn(result.getOpcode(Opcodes.IRETURN));
                }

                @Override
                public void visitLabel(Label label) {
                    live.visitLabel(label);
                }

                @Override
                public void visitMaxs(int stack, int locals) {
                    live.visitMaxs(stack, locals);
                }

                @Override
                public void visitEnd() {
                    live.visitEnd();
                }
            };
        }
    }
}
