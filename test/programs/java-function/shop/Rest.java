package shop;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.events.APIGatewayProxyRequestEvent;
import com.amazonaws.services.lambda.runtime.events.APIGatewayProxyResponseEvent;
import java.util.Map;

/** What was written for a REST API: events in payload format 1.0, by the library's type and as a map. */
public class Rest implements RequestHandler<APIGatewayProxyRequestEvent, APIGatewayProxyResponseEvent> {
    @Override
    public APIGatewayProxyResponseEvent handleRequest(APIGatewayProxyRequestEvent event, Context context) {
        String said = event.getHttpMethod() + " " + event.getPath() + " " + event.getMultiValueQueryStringParameters().get("a") + " "
            + event.getQueryStringParameters().get("a") + " " + event.getHeaders().get("x-own") + " " + event.getBody() + " "
            + event.getRequestContext().getIdentity().getSourceIp();
        return new APIGatewayProxyResponseEvent().withStatusCode(203).withHeaders(Map.of("x-kind", "typed")).withBody(said);
    }

    public Map<String, Object> asMap(Map<String, Object> event) {
        return Map.of("statusCode", 203, "body", event.get("version") + " " + event.get("httpMethod") + " " + event.get("path"));
    }
}
