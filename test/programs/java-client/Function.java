import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/** What the tests of custom runtimes ask of every client, see test/e2e/runtime-clients.test.ts. */
public class Function implements RequestStreamHandler {
    private static final String STREAMED = "{\"statusCode\":201,\"headers\":{\"x-from\":\"java\"},\"body\":\"one two \uD83D\uDC26\"}";

    static {
        if ("init".equals(System.getenv("FAIL"))) System.exit(7);
        if ("thrown".equals(System.getenv("FAIL"))) throw new IllegalStateException("no table");
    }

    @Override
    public void handleRequest(InputStream event, OutputStream answer, Context context) throws IOException {
        byte[] payload = event.readAllBytes();
        String asked = payload.length < 10_000 ? new String(payload, StandardCharsets.UTF_8) : "";
        if (asked.contains("\"do\":\"error\"")) throw new IllegalArgumentException("as asked");
        if (asked.contains("\"do\":\"exit\"")) System.exit(3);
        if (asked.contains("\"do\":\"sleep\"")) sleep();
        if (asked.contains("\"do\":\"context\"")) payload = knownOf(context).getBytes(StandardCharsets.UTF_8);
        if (asked.contains("\"rawPath\":\"/streamed\"")) payload = STREAMED.getBytes(StandardCharsets.UTF_8);
        answer.write(payload);
    }

    private static String knownOf(Context context) {
        String custom = context.getClientContext().getCustom().get("name");
        return String.format(
            "{\"id\":\"%s\",\"custom\":\"%s\",\"leftMs\":%d}", context.getAwsRequestId(), custom, context.getRemainingTimeInMillis());
    }

    private static void sleep() {
        try {
            Thread.sleep(10_000);
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
        }
    }
}
