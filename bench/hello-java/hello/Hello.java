package hello;

import java.util.Map;

/** The greeting of the bench, in Java; run by itself it is a bare JVM that writes one byte. */
public class Hello {
    public Map<String, String> handler() {
        return Map.of("message", "Hello, world!");
    }

    public static void main(String[] arguments) {
        System.out.print("1");
    }
}
