package shop;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;

/** What a team may have above all of its handlers: of which types, those say. */
public abstract class Base<I, O> implements RequestHandler<I, O> {
    @Override
    public O handleRequest(I event, Context context) {
        return answer(event);
    }

    protected abstract O answer(I event);
}
