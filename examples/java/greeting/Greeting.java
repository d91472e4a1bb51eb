package greeting;

import java.util.Map;

/** Says hello: what the handler returns is the answer's JSON. */
public class Greeting {
    /** As much of an event as is needed here; the rest is left out. */
    public record Event(Map<String, String> queryStringParameters) {}

    public record Answer(String message, String version) {}

    /** As much of the context as is needed here. */
    public interface Context {
        String getFunctionVersion();
    }

    public Answer handler(Event event, Context context) {
        String name = event.queryStringParameters() == null ? "world" : event.queryStringParameters().getOrDefault("name", "world");
        System.out.println("greeting " + name);
        return new Answer("Hello, " + name + "!", context.getFunctionVersion());
    }
}
