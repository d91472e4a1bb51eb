package shop;

import com.amazonaws.services.lambda.runtime.ClientContext;
import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import com.amazonaws.services.lambda.runtime.logging.LogLevel;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/** Gives back what it gets, or what its context knows. */
public class Echo implements RequestStreamHandler {
    @Override
    public void handleRequest(InputStream event, OutputStream answer, Context context) throws IOException {
        byte[] payload = event.readAllBytes();
        ClientContext client = context.getClientContext();
        if (client != null) {
            context.getLogger().log("with a client", LogLevel.ERROR);
            String known = String.join(" ", context.getAwsRequestId(), context.getFunctionName(), context.getFunctionVersion(),
                String.valueOf(context.getMemoryLimitInMB()), client.getCustom().get("name"), client.getClient().getAppTitle(),
                context.getIdentity().getIdentityId(), String.valueOf(context.getRemainingTimeInMillis() > 0));
            payload = ('"' + known + '"').getBytes(StandardCharsets.UTF_8);
        }
        answer.write(payload);
    }
}
