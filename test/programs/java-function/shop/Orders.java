package shop;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.events.APIGatewayV2HTTPEvent;
import com.amazonaws.services.lambda.runtime.events.APIGatewayV2HTTPResponse;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import java.util.Map;

/** A function as AWS's tutorials have them: an event of its library's, and Jackson for what is in it. */
public class Orders implements RequestHandler<APIGatewayV2HTTPEvent, APIGatewayV2HTTPResponse> {
    public record Order(String id, int count, List<String> notes) {}

    private static final ObjectMapper MAPPER = new ObjectMapper();

    static {
        // What a first request would wait for.
        try {
            MAPPER.readValue(MAPPER.writeValueAsString(new Order("warm", 1, List.of("up"))), Order.class);
        } catch (JsonProcessingException error) {
            throw new IllegalStateException(error);
        }
    }

    @Override
    public APIGatewayV2HTTPResponse handleRequest(APIGatewayV2HTTPEvent event, Context context) {
        try {
            Order order = MAPPER.readValue(event.getBody() == null ? "{\"id\":\"none\"}" : event.getBody(), Order.class);
            String method = event.getRequestContext().getHttp().getMethod();
            context.getLogger().log("order " + order.id());
            return APIGatewayV2HTTPResponse.builder()
                .withStatusCode(201)
                .withHeaders(Map.of("content-type", "application/json", "x-method", method))
                .withBody(MAPPER.writeValueAsString(order))
                .build();
        } catch (JsonProcessingException error) {
            throw new IllegalArgumentException("no order", error);
        }
    }
}
