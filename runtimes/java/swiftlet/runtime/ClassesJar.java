package swiftlet.runtime;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;

/** Packs all of a bundle but its jars into one, since the JVM archives no classes of a folder: {@code ClassesJar FOLDER JAR}. */
public final class ClassesJar {
  private ClassesJar() {}

  public static void main(String[] arguments) throws IOException {
    Path folder = Path.of(arguments[0]);
    try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(Path.of(arguments[1])));
        JarOutputStream jar = new JarOutputStream(out)) {
      for (Path file : filesOf(folder)) {
        add(jar, folder.relativize(file).toString(), Files.readAllBytes(file));
      }
    }
  }

  private static List<Path> filesOf(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(file -> Files.isRegularFile(file) && isOwn(folder.relativize(file).toString())).sorted().toList();
    }
  }

  private static boolean isOwn(String path) {
    return !path.endsWith(".jar") && !path.startsWith(".swiftlet/");
  }

  /** Not compressed: it is read more often than it is written. */
  private static void add(JarOutputStream jar, String name, byte[] bytes) throws IOException {
    CRC32 sum = new CRC32();
    sum.update(bytes);
    ZipEntry entry = new ZipEntry(name);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(bytes.length);
    entry.setCrc(sum.getValue());
    entry.setTime(0);
    jar.putNextEntry(entry);
    jar.write(bytes);
    jar.closeEntry();
  }
}
