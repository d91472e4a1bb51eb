import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import javax.tools.ToolProvider;

/** Compiles the runtime and packs it: {@code java Build.java SOURCES FOLDER JAR}. Run by the agent, with the JDK that functions run on. */
final class Build {
  private static final String RELEASE = "17";

  public static void main(String[] arguments) throws Exception {
    Path sources = Path.of(arguments[0]);
    Path classes = Path.of(arguments[1]);
    var compiler = ToolProvider.getSystemJavaCompiler();
    if (compiler == null) {
      throw new IllegalStateException("this Java has no compiler: it is a JRE, and a JDK is needed");
    }
    var words = Stream.concat(
        Stream.of("--release", RELEASE, "-g", "-encoding", "UTF-8", "-d", classes.toString()),
        filesIn(sources, ".java").stream().map(Path::toString));
    if (compiler.run(null, null, null, words.toArray(String[]::new)) != 0) {
      throw new IllegalStateException("the runtime could not be compiled");
    }
    pack(classes, Path.of(arguments[2]));
  }

  /** The same bytes from the same classes, whenever it is done. */
  private static void pack(Path folder, Path jar) throws Exception {
    try (OutputStream out = Files.newOutputStream(jar); JarOutputStream packed = new JarOutputStream(out)) {
      for (Path file : filesIn(folder, ".class")) {
        ZipEntry entry = new ZipEntry(folder.relativize(file).toString());
        entry.setTime(0);
        packed.putNextEntry(entry);
        Files.copy(file, packed);
        packed.closeEntry();
      }
    }
  }

  private static List<Path> filesIn(Path folder, String ending) throws Exception {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(file -> file.toString().endsWith(ending)).sorted().toList();
    }
  }
}
