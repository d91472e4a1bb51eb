package plain;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** All that a handler may be without a library of AWS's. */
public class Forms {
    /** As much of a context as this function wants. */
    public interface Known {
        String getAwsRequestId();

        long getRemainingTimeInMillis();

        void log(String text);
    }

    public enum Size { SMALL, LARGE }

    public record Part(String name, Optional<Integer> count, Duration lasts) {}

    public static class Thing {
        private String name;
        private final List<Part> parts = new ArrayList<>();
        public Size size;
        public BigDecimal price;
        private Instant detailTime;

        public String getName() { return name; }

        public void setName(String name) { this.name = name; }

        public List<Part> getParts() { return parts; }

        public void setParts(List<Part> more) { parts.addAll(more); }

        public Instant getDetailTime() { return detailTime; }

        public void setDetailTime(Instant time) { detailTime = time; }

        public boolean isNamed() { return name != null; }

        public String getURL() { return "a/b"; }
    }

    private static int served;

    static {
        if ("throw".equals(System.getenv("INIT"))) throw new IllegalStateException("no table", new IOException("gone"));
        if ("spin".equals(System.getenv("INIT"))) while (true) Thread.onSpinWait();
        if ("exit".equals(System.getenv("INIT"))) System.exit(7);
    }

    public Thing thing(Thing thing) { return thing; }

    public Map<String, Object> map(Map<String, Object> event, Known context) {
        context.log("from its context");
        Map<String, Object> answer = new LinkedHashMap<>(event);
        answer.put("id", context.getAwsRequestId());
        answer.put("isInTime", context.getRemainingTimeInMillis() > 0);
        return answer;
    }

    public static String text(String event) { return event + event; }

    public List<Integer> list(List<Integer> event) { return event.stream().map(one -> one + 1).toList(); }

    public int[] array(int[] event) { return event; }

    public Object any(Object event) { return event; }

    public void nothing() {}

    public CompletionStage<String> later(int ms) {
        return CompletableFuture.supplyAsync(() -> {
            if (ms < 0) throw new IllegalArgumentException("too soon");
            return "after " + ms;
        });
    }

    public void stream(InputStream event, OutputStream answer) throws IOException { event.transferTo(answer); }

    public Object three(Object one, Object two, Object three) { return one; }

    public void handler(InputStream event, OutputStream answer, Known context) throws Exception {
        String asked = new String(event.readAllBytes());
        served++;
        if (asked.contains("/raise")) raise();
        if (asked.contains("/exit")) System.exit(3);
        if (asked.contains("/spin")) while (true) Thread.onSpinWait();
        if (asked.contains("/bomb")) fill();
        System.out.println("served " + served);
        System.err.println("in error");
        answer.write(String.valueOf(served).getBytes());
    }

    private static void fill() {
        List<byte[]> all = new ArrayList<>();
        while (true) all.add(new byte[1 << 20]);
    }

    private static void raise() {
        try {
            throw new IOException("the cause");
        } catch (IOException error) {
            throw new IllegalStateException("secret detail", error);
        }
    }
}
